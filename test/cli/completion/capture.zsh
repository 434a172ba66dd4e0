# zsh -f capture.zsh <folder of _mmrelay> <line>: what TAB offers after that line in a real zsh, one a line.
zmodload zsh/zpty || exit 1
zpty shell zsh -f -i
zpty -w shell "PS1=; stty -echo; unsetopt beep; fpath=(${(q)1} \$fpath); autoload -Uz compinit && compinit -u -d ${(q)1}/.dump"
# Every candidate goes through compadd.
zpty -w shell 'compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  local -a hits
  builtin compadd -A hits "$@"
  for hit in $hits; do print -r "HIT $hit"; done
  builtin compadd "$@"
}'
zpty -w shell 'finish() { print -r END; zle kill-whole-line }; zle -N finish; bindkey "^X" finish; bindkey "^I" complete-word'
zpty -w shell 'print -r READY'
while zpty -r shell line; do [[ $line == READY* ]] && break; done
zpty -n -w shell "$2"$'\t'$'\x18'
while zpty -r shell line; do
  line=${${line//$'\r'/}%$'\n'}
  [[ $line == *END* ]] && break
  [[ $line == *'HIT '* ]] && print -r -- ${line##*HIT }
done
exit 0
