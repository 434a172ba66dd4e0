import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { MatrixOptions } from '../../../src/matrix/client.ts';
import type { RoomEvent } from '../../../src/relay/ports.ts';
import { cryptoUser, openAttachment } from '../../support/crypto-user.ts';
import { testUser } from '../../support/test-user.ts';
import type { SuiteServer } from './adapter-suite.ts';
import { picture, text, txnId, untilSent, useScene } from './encryption-scene.ts';

/** What the adapter promises about encrypted rooms, against any homeserver. Call inside `describe`. */
export function encryptionSuite(server: () => SuiteServer): void {
  const scene = useScene(server);

  it('talks both ways in a room encrypted from the start: messages, replies, reactions, edits', async () => {
    const { alice, sink, relay } = scene();
    const roomId = await scene().sharedRoom(true);
    const adapter = await scene().started(relay({ rooms: [roomId] }));
    await alice.sees(scene().bot);
    const question = await alice.say(roomId, 'can you read this?');
    await sink.until(() => sink.bodies(roomId).includes('can you read this?'));
    expect(sink.events(roomId).at(-1)).toMatchObject({ eventId: question, encrypted: true, undecryptable: null });
    const send = async (type: string, content: object) =>
      (await adapter.send({ roomId, type, content: content as never, txnId: txnId() })).eventId;
    const answer = await send('m.room.message', {
      msgtype: 'm.text',
      body: 'every word',
      'm.relates_to': { 'm.in_reply_to': { event_id: question } },
    });
    const heard = await alice.hears('every word');
    expect(heard).toMatchObject({ id: answer, encrypted: true, type: 'm.room.message' });
    expect(heard.wire['m.relates_to']).toEqual({ 'm.in_reply_to': { event_id: question } });
    await send('m.reaction', {
      meshtastic_text: 'secret words',
      'm.relates_to': { rel_type: 'm.annotation', event_id: question, key: '👍' },
    });
    await send('m.room.message', {
      msgtype: 'm.text',
      body: '* each word',
      'm.new_content': { msgtype: 'm.text', body: 'each word' },
      'm.relates_to': { rel_type: 'm.replace', event_id: answer },
    });
    await alice.until(() => alice.heard.filter(({ sender }) => sender === scene().bot.userId).length === 3);
    const reaction = alice.heard.find(({ type }) => type === 'm.reaction');
    expect(reaction).toMatchObject({ encrypted: true });
    expect(JSON.stringify(reaction?.wire)).not.toContain('secret words');
    expect(await scene().onServer(roomId)).toEqual(Array(3).fill('m.room.encrypted'));
    await alice.send(
      roomId,
      { 'm.relates_to': { rel_type: 'm.annotation', event_id: answer, key: '❤' } },
      'm.reaction',
    );
    await sink.until(() => sink.events(roomId).some(({ type }) => type === 'm.reaction'));
    expect([...alice.unread]).toEqual([]);
    expect(adapter.room(roomId)?.encrypted).toBe(true);
    expect(adapter.retainedEvents()).toBe(0);
  });

  it('W21, W22: encryption switched on a second ago: the next message is ciphertext, also of an adapter that has not synced it', async () => {
    const { alice, sink, relay, proxy } = scene();
    const roomId = await scene().sharedRoom(false);
    const adapter = await scene().started(relay({ rooms: [roomId], requestTimeoutMs: 1500, pollTimeoutMs: 500 }));
    await adapter.send({ roomId, ...text('in the open'), txnId: txnId() });
    proxy.fault('hang', /\/sync/);
    await sink.until(() => sink.states.at(-1)?.status === 'backing-off');
    await alice.encryptRoom(roomId);
    await expect(adapter.send({ roomId, ...text('now secret'), txnId: txnId() })).rejects.toMatchObject({
      code: 'CRYPTO_NOT_READY',
      retry: { kind: 'later' },
    });
    proxy.fault('none');
    const again = await untilSent(() => adapter.send({ roomId, ...text('now secret'), txnId: txnId() }));
    expect(await alice.hears('now secret')).toMatchObject({ id: again.eventId, encrypted: true });
    expect(await scene().onServer(roomId)).toEqual(['m.room.encrypted', 'm.room.message']);
    await alice.until(() => alice.client.getRoom(roomId)?.hasEncryptionStateEvent() === true);
    await alice.say(roomId, 'secret too');
    await sink.until(() => sink.bodies(roomId).includes('secret too'));
  });

  it.each([
    ['W21: encryption is switched off', { crypto: undefined }, {}],
    ['W21: a bare token without device', { credentials: null }, {}],
    ['W21: crypto failed to load', {}, { storeFolder: '/dev/null/store' }],
  ])('%s: nothing goes into an encrypted room, other rooms work, and the state says why', async (_, options, crypto) => {
    const { relay, proxy, sink, bot } = scene();
    const [secret, open] = [await scene().sharedRoom(true), await scene().sharedRoom(false)];
    const noDevice = 'credentials' in options;
    const { accessToken, userId } = bot;
    if (noDevice) proxy.answer(/whoami/, { user_id: userId });
    const base = relay(
      {
        rooms: [secret, open],
        ...(noDevice ? { credentials: { homeserver: proxy.url, accessToken, userId, deviceId: null } } : {}),
        ...('crypto' in options ? { crypto: undefined as never } : {}),
      },
      crypto,
    );
    const adapter = await scene().started(base);
    await expect(adapter.send({ roomId: secret, ...text('no'), txnId: txnId() })).rejects.toMatchObject({
      code: 'MATRIX_ENCRYPTED_ROOM',
      retry: { kind: 'never' },
    });
    const reaction = { 'm.relates_to': { rel_type: 'm.annotation', event_id: '$x', key: '👍' } };
    await expect(
      adapter.send({ roomId: secret, type: 'm.reaction', content: reaction, txnId: txnId() }),
    ).rejects.toMatchObject({ code: 'MATRIX_ENCRYPTED_ROOM' });
    await expect(adapter.send({ roomId: secret, ...picture('a.png'), txnId: txnId() })).rejects.toMatchObject({
      code: 'MATRIX_ENCRYPTED_ROOM',
    });
    expect(proxy.seen.filter((line) => line.includes('/upload'))).toEqual([]);
    await adapter.send({ roomId: open, ...text('open'), txnId: txnId() });
    await sink.until(() => adapter.state().status === 'syncing');
    expect(adapter.state().reason).toContain('encrypted rooms are left alone');
    expect(adapter.canEncrypt()).toBe(false);
    expect(await scene().onServer(secret)).toEqual([]);
  });

  it('W22: room state unknown: nothing is sent until the server has said whether the room is encrypted', async () => {
    const { relay, proxy } = scene();
    const roomId = await scene().sharedRoom(false);
    const adapter = await scene().started(relay({ rooms: [roomId] }));
    proxy.fault('html-502', /m\.room\.encryption/);
    await expect(adapter.send({ roomId, ...text('wait'), txnId: txnId() })).rejects.toMatchObject({
      retry: { kind: 'later' },
    });
    expect(await scene().onServer(roomId)).toEqual([]);
    proxy.fault('none');
    await adapter.send({ roomId, ...text('wait'), txnId: txnId() });
  });

  it('W22: media of an encrypted room is encrypted, by the specification', async () => {
    const { alice, relay } = scene();
    const roomId = await scene().sharedRoom(true);
    const adapter = await scene().started(relay({ rooms: [roomId] }));
    await untilSent(() => adapter.send({ roomId, ...picture('map.png'), txnId: 'map' }));
    const heard = await alice.hears('map.png');
    expect(heard.content.url).toBeUndefined();
    expect((await openAttachment(alice, heard.content.file as never)).toString()).toBe('picture map.png');
  });

  it('W22: media of a room in which encryption was switched on a second ago is encrypted, and uploaded once', async () => {
    const { alice, sink, relay, proxy } = scene();
    const roomId = await scene().sharedRoom(false);
    const adapter = await scene().started(relay({ rooms: [roomId], requestTimeoutMs: 1500, pollTimeoutMs: 500 }));
    const open = await adapter.send({ roomId, ...picture('open.png'), txnId: 'open' });
    await alice.until(() =>
      alice.heard.some(({ id, content }) => id === open.eventId && typeof content.url === 'string'),
    );
    proxy.fault('hang', /\/sync/);
    await sink.until(() => sink.states.at(-1)?.status === 'backing-off');
    await alice.encryptRoom(roomId);
    const send = () => adapter.send({ roomId, ...picture('secret.png'), txnId: 'secret' });
    await expect(send()).rejects.toMatchObject({ code: 'CRYPTO_NOT_READY' });
    await expect(send()).rejects.toMatchObject({ code: 'CRYPTO_NOT_READY' });
    expect(proxy.seen.filter((line) => line.includes('/upload'))).toHaveLength(1);
    proxy.fault('none');
    await untilSent(send);
    const { content } = await alice.hears('secret.png');
    expect(content.url).toBeUndefined();
    expect((await openAttachment(alice, content.file as never)).toString()).toBe('picture secret.png');
  });

  it('gives the key to members who join later, and a new one after somebody left', async () => {
    const { alice, relay } = scene();
    const roomId = await scene().sharedRoom(true);
    const adapter = await scene().started(relay({ rooms: [roomId] }));
    const sessionOf = async (body: string): Promise<unknown> => {
      await untilSent(() => adapter.send({ roomId, ...text(body), txnId: txnId() }));
      return (await alice.hears(body)).wire.session_id;
    };
    const first = await sessionOf('one');
    const bob = await scene().person('bob');
    await bob.client.joinRoom(roomId);
    await scene().sink.until(() => adapter.room(roomId)?.memberCount === 3);
    expect(await sessionOf('two')).toBe(first);
    await bob.hears('two');
    await bob.client.leave(roomId);
    await scene().sink.until(() => adapter.room(roomId)?.memberCount === 2);
    expect(await sessionOf('three')).not.toBe(first);
  });

  it('W14: what cannot be read is handed over when the key has come, also after a restart', async () => {
    const { alice, relay, sink } = scene();
    const roomId = await scene().sharedRoom(true);
    const first = await scene().started(relay({ rooms: [roomId] }));
    await alice.sees(scene().bot);
    await alice.say(roomId, 'first');
    await sink.until(() => sink.bodies(roomId).includes('first'));
    await alice.client.getCrypto()?.forceDiscardSession(roomId);
    const release = alice.holdKeys();
    const late = await alice.say(roomId, 'late');
    await sink.until(() => sink.events(roomId).some(({ eventId }) => eventId === late));
    const unread = sink.events(roomId).find(({ eventId }) => eventId === late) as RoomEvent;
    expect(unread.undecryptable).not.toBeNull();
    expect(unread).toMatchObject({ type: 'm.room.encrypted', encrypted: true });
    await first.stop();
    const second = relay({ rooms: [roomId] });
    second.awaitKeys?.([unread]);
    await scene().started(second, sink.token());
    await release();
    await sink.until(() => sink.learned.length === 1);
    expect(sink.learned[0]).toMatchObject({ eventId: late, content: { body: 'late' }, undecryptable: null });
  });

  it('events that wait for one key are handed over in the order in which they were said', async () => {
    const { alice, relay, sink } = scene();
    const roomId = await scene().sharedRoom(true);
    await scene().started(relay({ rooms: [roomId] }));
    await alice.sees(scene().bot);
    const release = alice.holdKeys();
    const said: string[] = [];
    for (const body of ['one', 'two', 'three']) said.push(await alice.say(roomId, body));
    await sink.until(() => said.every((id) => sink.events(roomId).some(({ eventId }) => eventId === id)));
    await release();
    await sink.until(() => sink.learned.length === 3);
    expect(sink.learned.map(({ content }) => content.body)).toEqual(['one', 'two', 'three']);
  });

  it('keeps one device and one identity from start to start', async () => {
    const { alice, relay, sink, bot, folder } = scene();
    const roomId = await scene().sharedRoom(true);
    for (const life of ['one', 'two', 'three']) {
      const adapter = await scene().started(relay({ rooms: [roomId] }), sink.token() === '' ? null : sink.token());
      await untilSent(() => adapter.send({ roomId, ...text(life), txnId: txnId() }));
      await alice.hears(life);
      await adapter.stop();
    }
    expect(readdirSync(join(folder, 'store')).filter((name) => name.endsWith('.sqlite'))).toHaveLength(1);
    const known = await alice.client.getCrypto()?.getUserDeviceInfo([bot.userId], true);
    expect([...(known?.get(bot.userId)?.keys() ?? [])]).toEqual([bot.deviceId]);
    expect([...alice.unread]).toEqual([]);
  });

  it('makes identity, secret storage and key backup once, and leaves those of others alone', async () => {
    const { alice, relay, sink, bot } = scene();
    const roomId = await scene().sharedRoom(true);
    const shown: string[] = [];
    const identity = { password: 'secret-b', reset: false, saveRecoveryKey: (key: string) => void shown.push(key) };
    const published = async (): Promise<string> => {
      const answer = await alice.client.downloadKeysForUsers([bot.userId]);
      const keys = answer.master_keys?.[bot.userId]?.keys ?? {};
      const device = answer.device_keys[bot.userId]?.[bot.deviceId];
      const signed = Object.keys(device?.signatures?.[bot.userId] ?? {}).length;
      return signed === 2 ? (Object.values(keys)[0] ?? '') : '';
    };
    const backup = async (): Promise<string> =>
      bot.call('GET', '/room_keys/version').then(
        ({ version }) => String(version),
        () => '',
      );
    const first = await scene().started(relay({ rooms: [roomId] }, { identity }));
    await expect.poll(backup, { timeout: 15_000 }).not.toBe('');
    const master = await published();
    expect(master).not.toBe('');
    expect(shown).toEqual([expect.stringMatching(/^E\w{3}( \w{4})+/)]);
    const version = await backup();
    await alice.sees(bot);
    await alice.say(roomId, 'kept in the backup');
    await expect
      .poll(() => bot.call('GET', '/room_keys/version').then(({ count }) => count), { timeout: 15_000 })
      .toBeGreaterThan(0);
    await first.stop();
    await scene().started(relay({ rooms: [roomId] }, { identity }), sink.token());
    await alice.say(roomId, 'second life');
    await sink.until(() => sink.bodies(roomId).includes('second life'));
    expect([await published(), await backup(), shown.length]).toEqual([master, version, 1]);
  });

  it('after a hard logout the new device is signed by the identity that the old one kept', async () => {
    const { alice, bot, relay, proxy } = scene();
    const roomId = await scene().sharedRoom(true);
    const identity = { password: 'secret-b', reset: false, saveRecoveryKey: () => undefined };
    const login = { homeserver: proxy.url, user: bot.userId, password: 'secret-b', deviceName: 'mmrelay' };
    const devices = [bot.deviceId];
    let token = '';
    const saveCredentials: MatrixOptions['saveCredentials'] = ({ deviceId, accessToken }) => {
      devices.push(deviceId ?? '');
      token = accessToken;
    };
    const options = { rooms: [roomId], login, saveCredentials };
    const adapter = await scene().started(relay(options, { identity, canReplaceDevice: true }));
    const signed = async (): Promise<readonly unknown[]> => {
      const { master_keys: masters, device_keys: keys } = await alice.client.downloadKeysForUsers([bot.userId]);
      const device = keys[bot.userId]?.[devices.at(-1) ?? ''];
      const signatures = Object.keys(device?.signatures?.[bot.userId] ?? {}).length;
      return [Object.keys(masters?.[bot.userId]?.keys ?? {})[0], signatures];
    };
    await expect.poll(signed, { timeout: 15_000 }).toEqual([expect.any(String), 2]);
    const [master] = await signed();
    const backup = (token: string) =>
      testUser(server().baseUrl, { ...bot, accessToken: token }).call('GET', '/room_keys/version');
    await expect.poll(() => backup(bot.accessToken).then(Boolean, () => false), { timeout: 15_000 }).toBe(true);
    await bot.call('POST', '/logout', {});
    await expect.poll(() => devices.length, { timeout: 15_000 }).toBe(2);
    await expect.poll(signed, { timeout: 15_000 }).toEqual([master, 2]);
    const kept = Number((await backup(token)).count);
    await untilSent(() => adapter.send({ roomId, ...text('from the new device'), txnId: txnId() }));
    await alice.hears('from the new device');
    const status = await alice.client.getCrypto()?.getDeviceVerificationStatus(bot.userId, devices.at(-1) ?? '');
    expect(status?.signedByOwner).toBe(true);
    await alice.say(roomId, 'kept by the new device');
    await expect.poll(async () => Number((await backup(token)).count), { timeout: 15_000 }).toBeGreaterThan(kept);
  });

  it('a device with keys of another program is not used: explained, or replaced where there is a password', async () => {
    const { relay, bot, sink, folder, proxy, fatal } = scene();
    const roomId = await scene().sharedRoom(true);
    const old = await cryptoUser(server().baseUrl, bot);
    await scene().alice.sees(bot);
    old.stop();
    const adapter = await scene().started(relay({ rooms: [roomId] }));
    expect(adapter.state().reason).toContain('mmrelay auth login');
    await expect(adapter.send({ roomId, ...text('no'), txnId: txnId() })).rejects.toMatchObject({
      code: 'MATRIX_ENCRYPTED_ROOM',
    });
    expect(readdirSync(folder)).toEqual([]);
    await adapter.stop();
    const login = { homeserver: proxy.url, user: bot.userId, password: 'secret-b', deviceName: 'mmrelay' };
    const second = await scene().started(relay({ rooms: [roomId], login }, { canReplaceDevice: true }), sink.token());
    await untilSent(() => second.send({ roomId, ...text('new device'), txnId: txnId() }));
    expect(await scene().alice.hears('new device')).toMatchObject({ encrypted: true });
    expect(fatal).toEqual([]);
  });

  it('sends nothing while the devices of the members cannot be asked for, and to all of them after that', async () => {
    const { alice, relay, proxy } = scene();
    const roomId = await scene().sharedRoom(true);
    const adapter = await scene().started(relay({ rooms: [roomId] }));
    proxy.fault('forbidden', /keys\/(query|upload)/);
    const bob = await scene().person('bob');
    await bob.client.joinRoom(roomId);
    await scene().sink.until(() => adapter.room(roomId)?.memberCount === 3);
    await expect(adapter.send({ roomId, ...text('for both'), txnId: 'same' })).rejects.toMatchObject({
      retry: { kind: 'later' },
    });
    proxy.fault('none');
    await untilSent(() => adapter.send({ roomId, ...text('for both'), txnId: 'same' }));
    await Promise.all([alice.hears('for both'), bob.hears('for both')]);
    expect([...bob.unread, ...alice.unread]).toEqual([]);
  });
}
