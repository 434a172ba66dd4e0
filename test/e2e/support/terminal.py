"""Runs a command in a terminal of its own: what it writes comes out here, what comes in here is typed."""
import os
import pty
import select
import sys

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
sources = [terminal, 0]
while True:
    ready, _, _ = select.select(sources, [], [])
    if 0 in ready:
        typed = os.read(0, 65536)
        if typed:
            os.write(terminal, typed)
        else:
            sources.remove(0)
    if terminal in ready:
        try:
            shown = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not shown:
            break
        os.write(1, shown)
sys.exit(abs(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
