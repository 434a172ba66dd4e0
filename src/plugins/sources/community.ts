import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { isPluginName } from '../validate.ts';
import { type Checkout, checkoutFolder, ensureCheckout, readState, remoteHead, writeState } from './checkout.ts';
import { folderEntry } from './entry.ts';
import { createGit, type Git } from './git.ts';
import { checkRef, type Origin, type OriginPolicy, parseOrigin, type Ref } from './repository.ts';
import { installRequirements } from './requirements.ts';

export interface CommunityOptions {
  /** `plugins/community` of the home. */
  readonly root: string;
  readonly policy: OriginPolicy;
  readonly allowUntrusted: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface CommunityPlugin {
  readonly name: string;
  readonly repository: string;
  readonly ref: Ref;
  readonly installRequirements: boolean;
}

const CHECK_EVERY_MS = 24 * 3_600_000;

/** Fetches community plugins from their git repositories. One per daemon or command. Holds nothing; the state is on disk. */
export class CommunitySource {
  readonly #options: CommunityOptions;
  readonly #git: Git;

  constructor(options: CommunityOptions) {
    this.#options = options;
    this.#git = createGit({ env: options.env, allowLocal: options.policy.allowLocal });
  }

  /** Where the code of a plugin lies or would lie. @throws RelayError PLUGIN_SOURCE */
  folder(plugin: CommunityPlugin): string {
    return checkoutFolder(this.#options.root, this.#origin(plugin));
  }

  /**
   * Brings the code to where the configuration wants it; with `update`, asks the origin where a branch or tag is now.
   * @throws RelayError PLUGIN_*
   */
  async install(plugin: CommunityPlugin, update: boolean): Promise<Checkout> {
    const { root } = this.#options;
    const origin = this.#origin(plugin);
    const ref = checkRef(plugin.ref);
    const checkout = await ensureCheckout({ git: this.#git, root, origin, ref, update });
    await this.#require(plugin, checkout);
    return checkout;
  }

  /** As `install`, for a start of the relay: an origin out of reach is no reason not to run what is there. */
  async prepare(plugin: CommunityPlugin): Promise<string> {
    const { logger } = this.#options;
    const checkout = await this.install(plugin, plugin.ref.kind === 'branch').catch((error: unknown) => {
      if (!(error instanceof RelayError) || error.code !== 'PLUGIN_GIT') throw error;
      logger.warn('A community plugin could not be updated', { plugin: plugin.name, error: errorText(error) });
      return this.install(plugin, false);
    });
    if (plugin.ref.kind !== 'commit')
      logger.warn('A community plugin follows a name that its owner can move; a commit is safer', {
        plugin: plugin.name,
        [plugin.ref.kind]: plugin.ref.name,
        commit: checkout.commit,
      });
    void this.#tellNews(plugin, checkout);
    return folderEntry(checkout.folder, plugin.name);
  }

  /** The newest commit of the ref at the origin, or of the default branch for a plugin held at a commit. */
  upstream(plugin: CommunityPlugin): Promise<string | null> {
    return remoteHead(this.#git, this.#origin(plugin), plugin.ref.kind === 'commit' ? null : checkRef(plugin.ref));
  }

  /** Two plugins of one repository have a checkout each: they may want different refs. */
  #origin({ name, repository }: CommunityPlugin): Origin {
    if (!isPluginName(name)) throw new RelayError('PLUGIN_NAME', `"${name}" cannot be the name of a plugin`);
    const origin = parseOrigin(repository, this.#options.policy);
    const last = origin.folder.at(-1) ?? '';
    // No component of an origin holds an @, so this is nobody else's folder.
    return last === name.toLowerCase()
      ? origin
      : { ...origin, folder: [...origin.folder.slice(0, -1), `${last}@${name}`] };
  }

  async #require(
    { name, ref, installRequirements: wanted }: CommunityPlugin,
    { folder, commit }: Checkout,
  ): Promise<void> {
    if (!wanted) return;
    if (ref.kind === 'commit' && ref.name.length !== 40)
      throw new RelayError(
        'PLUGIN_REQUIREMENTS',
        `install_requirements of ${name} needs the full commit id (40 digits)`,
      );
    if (readState(folder).last_installed_requirements_commit === commit) return;
    const { env, allowUntrusted } = this.#options;
    await installRequirements({ folder, env, allowUntrusted });
    writeState(folder, { ...readState(folder), last_installed_requirements_commit: commit });
  }

  /** Once a day: a plugin held at a commit has news upstream. Never fails. */
  async #tellNews(plugin: CommunityPlugin, { folder, commit }: Checkout): Promise<void> {
    const { clock, logger } = this.#options;
    if (plugin.ref.kind !== 'commit') return;
    try {
      const state = readState(folder);
      if (clock.now() - Date.parse(state.last_checked_at ?? '1970-01-01') < CHECK_EVERY_MS) return;
      const head = await this.upstream(plugin);
      const isNews = head !== null && head !== commit && head !== state.last_notified_upstream_head;
      if (isNews)
        logger.info('A community plugin has news; "mmrelay plugins update" shows how', {
          plugin: plugin.name,
          commit,
          head,
        });
      writeState(folder, {
        ...state,
        last_checked_at: new Date(clock.now()).toISOString(),
        ...(head === null ? {} : { last_notified_upstream_head: head }),
      });
    } catch (error) {
      logger.debug('The origin of a plugin could not be asked for news', {
        plugin: plugin.name,
        error: errorText(error),
      });
    }
  }
}
