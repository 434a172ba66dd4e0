import { describe, expect, it } from 'vitest';
import { cycles, packageOf, readTree, type SourceFile } from './source-tree.ts';

/** docs/ARCHITECTURE.md, "who may import whom", as data. `ports` are the types of relay/ports.ts and relay/store-port.ts. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  util: [],
  relay: ['util'],
  radio: ['util', 'ports'],
  matrix: ['util', 'ports'],
  store: ['util', 'ports'],
  config: ['util', 'relay-types'],
  observe: ['util', 'relay-types'],
  plugins: ['util', 'relay-types'],
  sandbox: ['util', 'radio/codec'],
  app: ['util', 'relay', 'radio', 'matrix', 'store', 'config', 'observe', 'plugins', 'sandbox'],
  cli: ['app', 'config', 'observe', 'util'],
  'main.ts': ['cli', 'util'],
};

/** Packages that talk to the outside, each in the one folder that may import it. */
const PACKAGE_HOME: Readonly<Record<string, readonly string[]>> = {
  'matrix-js-sdk': ['src/matrix/'],
  '@matrix-org/matrix-sdk-crypto-wasm': ['src/matrix/'],
  '@meshtastic/protobufs': ['src/radio/codec/'],
  '@bufbuild/protobuf': ['src/radio/codec/'],
  serialport: ['src/radio/'],
  '@stoprocent/noble': ['src/radio/'],
  mqtt: ['src/radio/'],
  // The durable IndexedDB is a module of its own that others may take away (design, section 5): the one exception.
  'better-sqlite3': ['src/store/', 'src/matrix/crypto/durable-indexeddb/'],
  'fake-indexeddb': ['src/matrix/crypto/durable-indexeddb/'],
  zod: ['src/config/'],
  yaml: ['src/config/'],
  pino: ['src/observe/'],
  commander: ['src/cli/'],
};

/** The doubles, what plugin authors test with, and what `test/config/regenerate.ts` writes a page by. */
const FOR_TESTS_OR_TOOLS = ['src/sandbox/', 'src/plugins/testing', 'src/plugins/api.ts', 'src/config/docs-page.ts'];

const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 60;

const source = readTree('src', 'plugins');
const everything = [...source, ...readTree('test', '.ci')];

function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function allowed(from: SourceFile, target: string, typeOnly: boolean): boolean {
  const own = folderOf(from.path);
  const other = folderOf(target);
  if (own === other) return true;
  return (MAY_IMPORT[own] ?? []).some((entry) => {
    if (entry === 'ports') return typeOnly && /^src\/relay\/(?:ports|store-port)\.ts$/.test(target);
    if (entry === 'relay-types') return typeOnly && other === 'relay';
    return entry.includes('/') ? target.startsWith(`src/${entry}/`) : entry === other;
  });
}

describe('imports', () => {
  it('follow the table of the architecture', () => {
    const wrong = source
      .filter((file) => file.path.startsWith('src/'))
      .flatMap((file) =>
        file.imports
          .filter(({ target, typeOnly }) => target?.startsWith('src/') && !allowed(file, target, typeOnly))
          .map(({ target }) => `${file.path} -> ${target}`),
      );

    expect(wrong).toEqual([]);
  });

  it('of the configuration reach the declared keys of core plugins, and none of their code', () => {
    const wrong = source
      .filter((file) => file.path.startsWith('src/config/'))
      .flatMap((file) => file.imports.map(({ target }) => target))
      .filter((target) => target?.startsWith('plugins/') && !/^plugins\/\w+\/config\.ts$/.test(target));

    expect(wrong).toEqual([]);
  });

  it('of core plugins reach the public plugin API only', () => {
    const wrong = source
      .filter((file) => file.path.startsWith('plugins/'))
      .flatMap((file) => file.imports.map(({ target }) => [file.path, target] as const))
      .filter(
        ([path, target]) =>
          target !== null &&
          !target.startsWith(path.split('/').slice(0, 2).join('/')) &&
          !target.startsWith('plugins/shared/') &&
          target !== 'src/plugins/api.ts',
      )
      .map(([path, target]) => `${path} -> ${target}`);

    expect(wrong).toEqual([]);
  });

  it('have no cycles, neither of values nor of types', () => {
    expect(cycles(everything)).toEqual([]);
  });

  it('keep every package that talks to the outside in one folder', () => {
    const wrong = source.flatMap((file) =>
      file.imports
        .map(({ specifier }) => ({ path: file.path, homes: PACKAGE_HOME[packageOf(specifier) ?? ''], specifier }))
        .filter(({ path, homes }) => homes !== undefined && !homes.some((home) => path.startsWith(home)))
        .map(({ path, specifier }) => `${path} -> ${specifier}`),
    );

    expect(wrong).toEqual([]);
  });

  it('are not passed on: no re-export hubs', () => {
    const hubs = source
      // The public face of the package: plugins have one import.
      .filter((file) => file.path !== 'src/plugins/api.ts')
      .filter((file) => file.imports.some(({ reexport }) => reexport))
      .map(({ path }) => path);

    expect(hubs).toEqual([]);
  });
});

describe('globals', () => {
  it.each([
    ['process.env', /\bprocess\.env\b/, /^src\/config\//],
    ['process.exit', /\bprocess\.exit\b/, /^src\/main\.ts$/],
    ['console', /\bconsole\.\w+\(/, /^src\/cli\//],
  ])('%s has one place', (_name, pattern, home) => {
    const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '');
    const wrong = source.filter((file) => pattern.test(withoutComments(file.text)) && !home.test(file.path));

    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('no module holds mutable state', () => {
    expect(source.filter((file) => file.mutable.length > 0).map(({ path, mutable }) => [path, mutable])).toEqual([]);
  });
});

describe('sizes', () => {
  it(`no file is longer than ${MAX_FILE_LINES} lines`, () => {
    const long = source.filter((file) => file.lines > MAX_FILE_LINES).map(({ path, lines }) => `${path}: ${lines}`);

    expect(long).toEqual([]);
  });

  it(`no function is longer than ${MAX_FUNCTION_LINES} lines`, () => {
    const long = source.flatMap(({ path, functions }) =>
      functions.filter(({ lines }) => lines > MAX_FUNCTION_LINES).map(({ name, lines }) => `${path} ${name}: ${lines}`),
    );

    expect(long).toEqual([]);
  });

  it('the median file stays near 90 lines', () => {
    const sorted = source.map(({ lines }) => lines).sort((a, b) => a - b);

    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(110);
  });
});

describe('exports', () => {
  it('are all used, by the program or by a test', () => {
    const used = usedIn(everything);
    const dead = source
      .filter(
        (file) => file.path.startsWith('src/') && file.path !== 'src/main.ts' && file.path !== 'src/plugins/api.ts',
      )
      .filter((file) => !used.has(`${file.path}#*`))
      .flatMap(({ path, exports }) =>
        exports
          .filter((name) => !used.has(`${path}#${name}`) && !isOwnSignature(path, name))
          .map((name) => `${path} ${name}`),
      );

    expect(dead).toEqual([]);
  });

  it('are no code that only tests need', () => {
    const used = usedIn(source);
    const forTestsOnly = source
      .filter(({ path }) => path.startsWith('src/') && !FOR_TESTS_OR_TOOLS.some((home) => path.startsWith(home)))
      .filter(({ path }) => !used.has(`${path}#*`))
      .flatMap(({ path, text, exports }) =>
        exports
          .filter((name) => !used.has(`${path}#${name}`) && text.split(new RegExp(`\\b${name}\\b`)).length === 2)
          .map((name) => `${path} ${name}`),
      );

    expect(forTestsOnly).toEqual([]);
  });

  it('have names: no default exports in src', () => {
    expect(source.filter((file) => file.path.startsWith('src/') && file.defaultExport).map(({ path }) => path)).toEqual(
      [],
    );
  });
});

/** `path#name` of everything that these files import of ours. */
function usedIn(files: readonly SourceFile[]): ReadonlySet<string> {
  return new Set(
    files.flatMap(({ imports }) => imports.flatMap(({ target, names }) => names.map((name) => `${target}#${name}`))),
  );
}

/** A type that an exported function of the same file speaks of is part of its signature. */
function isOwnSignature(path: string, name: string): boolean {
  const text = source.find((file) => file.path === path)?.text ?? '';
  const isType = new RegExp(`export (?:interface|type) ${name}\\b`).test(text);
  return isType && text.split(new RegExp(`\\b${name}\\b`)).length > 2;
}
