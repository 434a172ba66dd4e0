import { RelayError } from '../util/relay-error.ts';
import { API_VERSION, type ArgSpec, type ConfigField, type Plugin } from './api.ts';

const HANDLERS = ['start', 'stop', 'onMeshPacket', 'onMeshText', 'onRoomMessage', 'onRelayEvent'] as const;
const NEEDS: ReadonlySet<string> = new Set([
  'sendMesh',
  'sendPacket',
  'sendRoom',
  'nodes',
  'positions',
  'telemetry',
  'store',
  'http',
  'files',
  'status',
  'radios',
  'plugins',
  'rooms',
  'relayEvents',
]);
const FIELD_TYPES: readonly unknown[] = [
  'boolean',
  'number',
  'integer',
  'string',
  'list',
  'map',
] satisfies ConfigField['type'][];
const ARGUMENT_TYPES: readonly unknown[] = [
  'word',
  'text',
  'node',
  'integer',
  'number',
  'duration',
  'choice',
] satisfies ArgSpec['type'][];
const SIDES: readonly unknown[] = ['room', 'mesh'];
const COMMAND_NAME = /^[A-Za-z0-9][\w.-]{0,31}$/;

type Fields = Readonly<Record<string, unknown>>;

/** What a module exports by default, as a plugin. @throws RelayError PLUGIN_INVALID naming everything that is wrong */
export function assertPlugin(value: unknown): Plugin {
  const problems = isFields(value) ? problemsOf(value) : ['its default export is no object'];
  if (problems.length > 0) throw new RelayError('PLUGIN_INVALID', `Not a plugin: ${problems.join('; ')}`);
  return value as Plugin;
}

function problemsOf(plugin: Fields): string[] {
  const problems: string[] = [];
  const need = (fine: boolean, problem: string): void => {
    if (!fine) problems.push(problem);
  };
  need(isPluginName(plugin.name), 'name must be letters, digits, _ - or .');
  need(typeof plugin.version === 'string' && plugin.version !== '', 'version is missing');
  need(
    plugin.api === API_VERSION,
    `api is ${JSON.stringify(plugin.api)}, this relay knows version ${API_VERSION} of the plugin API`,
  );
  for (const handler of HANDLERS)
    need(plugin[handler] === undefined || typeof plugin[handler] === 'function', `${handler} must be a function`);
  const needs = plugin.needs ?? [];
  if (!Array.isArray(needs)) problems.push('needs must be a list');
  else for (const name of needs) need(NEEDS.has(String(name)), `there is nothing called "${name}" to need`);
  const mayListen = plugin.onRelayEvent === undefined || (Array.isArray(needs) && needs.includes('relayEvents'));
  need(mayListen, 'onRelayEvent needs "relayEvents"');
  problems.push(...typeProblems(plugin.configSchema, 'configSchema', FIELD_TYPES));
  // Commands of a function come with the configuration; see assertCommand.
  if (typeof plugin.commands !== 'function')
    problems.push(...listProblems(plugin.commands, 'commands', commandProblem));
  problems.push(...listProblems(plugin.schedule, 'schedule', jobProblem));
  return problems;
}

function listProblems(list: unknown, name: string, check: (item: unknown) => string | null): string[] {
  if (list === undefined) return [];
  if (!Array.isArray(list)) return [`${name} must be a list`];
  return list.map(check).filter((problem) => problem !== null);
}

/** Commands that a function of the configuration gave come later than the plugin. @throws RelayError PLUGIN_INVALID */
export function assertCommand(command: unknown): void {
  const problem = commandProblem(command);
  if (problem !== null) throw new RelayError('PLUGIN_INVALID', `Not a plugin: ${problem}`);
}

/** What is wrong with a command; null when nothing is. */
function commandProblem(command: unknown): string | null {
  if (!isFields(command) || typeof command.name !== 'string') return 'a command has no name';
  if (!COMMAND_NAME.test(command.name)) return `"${command.name}" cannot be the name of a command`;
  if (typeof command.description !== 'string') return `command ${command.name} has no description`;
  if (typeof command.run !== 'function') return `command ${command.name} has no run`;
  const on = command.on ?? SIDES;
  if (!Array.isArray(on) || !on.every((side) => SIDES.includes(side)))
    return `on of command ${command.name} must be a list of "room" and "mesh"`;
  return typeProblems(command.args, `args of command ${command.name}`, ARGUMENT_TYPES)[0] ?? null;
}

/** Of a mapping from names to things with a type. */
function typeProblems(specs: unknown, where: string, types: readonly unknown[]): string[] {
  if (specs === undefined) return [];
  if (!isFields(specs) || Array.isArray(specs)) return [`${where} must map names to their type and description`];
  return Object.entries(specs)
    .filter(([, spec]) => !isFields(spec) || !types.includes(spec.type))
    .map(([name]) => `the type of ${name} in ${where} must be one of ${types.join(', ')}`);
}

function jobProblem(job: unknown): string | null {
  if (!isFields(job) || typeof job.name !== 'string') return 'a scheduled job has no name';
  return typeof job.run === 'function' ? null : `job ${job.name} has no run`;
}

/** A name is one harmless path component. */
export function isPluginName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9][\w.-]{0,63}$/.test(name) && !name.includes('..');
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}
