/** What doctor prints from its first group on, without what differs from machine to machine and from run to run. */
export function stableDoctor(out: string): string {
  return out
    .slice(out.indexOf('📝'))
    .replace(/device \w+/, 'device <device>')
    .replace(/[-\d]{10} [:\d]{8} UTC/, '<date> UTC')
    .replace(/. {1,2}[\d.]+ GB free of [\d.]+ GB \(\d+% used\)(\n {6}→.*)?/u, '<disk>')
    .replace(/: [\d.]+ MB, schema/, ': <size>, schema')
    .replace(/schema \d+/, 'schema <n>');
}
