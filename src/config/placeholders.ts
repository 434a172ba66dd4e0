/** Values of our sample and of the Python relay's that nobody can mean. */
const EXACT = new Set([
  '!someroomid:example.matrix.org',
  '#someroomalias:example.matrix.org',
  '!someroomid2:example.matrix.org',
  '#someroomalias2:example.matrix.org',
  'https://example.matrix.org',
  '@botuser:example.matrix.org',
  'reaalllllyloooooongsecretttttcodeeeeeeforrrrbot',
  'Your Meshnet Name',
  'your_matrix_password',
  'your_matrix_password_here',
]);

/** True for a value that was never filled in. */
export function isPlaceholder(value: string): boolean {
  const text = value.trim();
  return EXACT.has(text) || text.endsWith(':example.matrix.org') || /^<.*>$/.test(text);
}

export const SAMPLE_ROOM = '#someroomalias:example.matrix.org';
export const SAMPLE_MESHNET = 'Your Meshnet Name';
