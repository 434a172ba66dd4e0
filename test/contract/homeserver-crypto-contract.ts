import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { enc, type NewClient, V3 } from './homeserver-client.ts';

/** To-device messages, device keys, one-time keys. */
export function deviceCases(client: NewClient): void {
  it('delivers to-device messages again until a sync acknowledges them', async () => {
    const [alice, bob] = [await client(), await client()];
    const start = await bob.sync();
    const messages = { [bob.user.userId]: { [bob.user.deviceId]: { n: 1 } } };
    await alice.ok('PUT', `${V3}/sendToDevice/org.example.hello/t1`, { messages });
    await alice.ok('PUT', `${V3}/sendToDevice/org.example.hello/t1`, { messages });
    const first = await bob.sync({ since: start.next_batch });
    expect(first.to_device.events).toHaveLength(1);
    expect(first.to_device.events[0]).toMatchObject({
      type: 'org.example.hello',
      sender: alice.user.userId,
      content: { n: 1 },
    });
    expect((await bob.sync({ since: start.next_batch, timeout: '1' })).to_device.events).toHaveLength(1);
    expect((await bob.sync({ since: first.next_batch })).to_device?.events ?? []).toEqual([]);
    expect((await bob.sync({ since: start.next_batch, timeout: '2' })).to_device?.events ?? []).toEqual([]);
  });

  it('stores device keys and gives each one-time key once, then the fallback key', async () => {
    const [alice, bob] = [await client(), await client()];
    const { userId, deviceId } = bob.user;
    const identity = {
      user_id: userId,
      device_id: deviceId,
      algorithms: ['m.olm.v1.curve25519-aes-sha2'],
      keys: { [`ed25519:${deviceId}`]: 'k' },
      signatures: {},
    };
    const key = (name: string): object => ({ key: name, signatures: {} });
    const upload = {
      device_keys: identity,
      one_time_keys: { 'signed_curve25519:A': key('a') },
      fallback_keys: { 'signed_curve25519:F': { ...key('f'), fallback: true } },
    };
    const counts = await bob.ok('POST', `${V3}/keys/upload`, upload);
    expect(counts.one_time_key_counts.signed_curve25519).toBe(1);
    const query = await alice.ok('POST', `${V3}/keys/query`, { device_keys: { [userId]: [] } });
    expect(query.device_keys[userId][deviceId].keys).toEqual(identity.keys);
    const wanted = { one_time_keys: { [userId]: { [deviceId]: 'signed_curve25519' } } };
    const claim = async (): Promise<string[]> =>
      Object.keys((await alice.ok('POST', `${V3}/keys/claim`, wanted)).one_time_keys[userId][deviceId]);
    expect((await bob.sync()).device_unused_fallback_key_types).toEqual(['signed_curve25519']);
    expect(await claim()).toEqual(['signed_curve25519:A']);
    expect(await claim()).toEqual(['signed_curve25519:F']);
    const after = await bob.sync({ timeout: '1' });
    expect(after.device_one_time_keys_count.signed_curve25519).toBe(0);
    expect(after.device_unused_fallback_key_types).toEqual([]);
  });
}

/** Uploads that others hear of, or that are refused; to-device messages to all devices. */
export function uploadCases(client: NewClient): void {
  it('tells who shares a room of new device keys; they are found in /keys/changes too', async () => {
    const [alice, bob] = [await client(), await client()];
    const room = await alice.createRoom({ preset: 'public_chat' });
    await bob.ok('POST', `${V3}/join/${enc(room)}`, {});
    const start = await alice.sync();
    const { userId, deviceId } = bob.user;
    const keys = { [`ed25519:${deviceId}`]: publicKey() };
    const identity = { user_id: userId, device_id: deviceId, algorithms: [], keys, signatures: {} };
    await bob.ok('POST', `${V3}/keys/upload`, { device_keys: identity });
    const next = await alice.sync({ since: start.next_batch, timeout: '5000' });
    expect(next.device_lists.changed).toContain(userId);
    const range = `from=${enc(start.next_batch)}&to=${enc(next.next_batch)}`;
    expect((await alice.ok('GET', `${V3}/keys/changes?${range}`)).changed).toContain(userId);
    await bob.ok('POST', `${V3}/keys/upload`, { device_keys: identity });
    const again = await alice.sync({ since: next.next_batch, timeout: '1' });
    expect(again.device_lists?.changed ?? []).not.toContain(userId);
  });

  it('takes a one-time key twice, but no other one under its id; gives none for a stranger', async () => {
    const [alice, bob] = [await client(), await client()];
    const upload = (key: string) =>
      bob.call('POST', `${V3}/keys/upload`, {
        one_time_keys: { 'signed_curve25519:A': { key, signatures: {} } },
      });
    expect((await upload('a')).status).toBe(200);
    expect(await upload('a')).toMatchObject({ status: 200, body: { one_time_key_counts: { signed_curve25519: 1 } } });
    expect((await upload('b')).status).toBe(400);
    const wanted = { one_time_keys: { [bob.user.userId]: { NOSUCHDEVICE: 'signed_curve25519' } } };
    const claimed = await alice.ok('POST', `${V3}/keys/claim`, wanted);
    expect(claimed.one_time_keys[bob.user.userId] ?? {}).toEqual({});
  });

  it('brings a to-device message for * to all devices', async () => {
    const [alice, bob] = [await client(), await client()];
    const start = await bob.sync();
    const messages = { [bob.user.userId]: { '*': { n: 2 } } };
    await alice.ok('PUT', `${V3}/sendToDevice/org.example.all/t1`, { messages });
    const { to_device: toDevice } = await bob.sync({ since: start.next_batch, timeout: '5000' });
    expect(toDevice.events).toMatchObject([{ type: 'org.example.all', content: { n: 2 } }]);
  });
}

/** Device lists, cross-signing, key backup. */
export function cryptoCases(client: NewClient): void {
  it('tells who shares a room that a device list changed', async () => {
    const [alice, bob] = [await client(), await client()];
    const room = await alice.createRoom({ preset: 'public_chat' });
    const start = await alice.sync();
    await bob.ok('POST', `${V3}/join/${enc(room)}`, {});
    const joined = await alice.sync({ since: start.next_batch });
    expect(joined.device_lists.changed).toContain(bob.user.userId);
    await bob.ok('POST', `${V3}/rooms/${enc(room)}/leave`, {});
    const left = await alice.sync({ since: joined.next_batch });
    expect(left.device_lists.left).toEqual([bob.user.userId]);
  });

  it('takes first cross-signing keys freely and wants the password to replace them', async () => {
    const alice = await client();
    const { user } = alice;
    const path = `${V3}/keys/device_signing/upload`;
    const [first, other] = [publicKey(), publicKey()];
    const keys = (id: string): object => ({
      master_key: { user_id: user.userId, usage: ['master'], keys: { [`ed25519:${id}`]: id } },
    });
    const nonsense = await alice.call('POST', path, keys('nonsense'));
    expect(nonsense).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } });
    await alice.ok('POST', path, keys(first));
    await alice.ok('POST', path, keys(first));
    const refused = await alice.call('POST', path, keys(other));
    expect(refused.status).toBe(401);
    expect(refused.body.flows).toContainEqual({ stages: ['m.login.password'] });
    const name = user.userId.slice(1).split(':')[0] ?? '';
    const auth = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: name },
      session: refused.body.session,
    };
    await alice.ok('POST', path, { ...keys(other), auth: { ...auth, password: name.replace('user', 'secret') } });
    const query = await alice.ok('POST', `${V3}/keys/query`, { device_keys: { [user.userId]: [] } });
    expect(query.master_keys[user.userId].keys).toEqual({ [`ed25519:${other}`]: other });
  });

  it('keeps a key backup by version', async () => {
    const alice = await client();
    expect((await alice.call('GET', `${V3}/room_keys/version`)).status).toBe(404);
    const info = {
      algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2',
      auth_data: { public_key: 'abc', signatures: {} },
    };
    const { version: old } = await alice.ok('POST', `${V3}/room_keys/version`, info);
    const { version } = await alice.ok('POST', `${V3}/room_keys/version`, info);
    const session = {
      first_message_index: 3,
      forwarded_count: 0,
      is_verified: false,
      session_data: { ciphertext: 'x' },
    };
    const body = { rooms: { '!a:b': { sessions: { s1: session } } } };
    expect(await alice.ok('PUT', `${V3}/room_keys/keys?version=${version}`, body)).toMatchObject({ count: 1 });
    const stale = await alice.call('PUT', `${V3}/room_keys/keys?version=${old}`, body);
    expect(stale).toMatchObject({
      status: 403,
      body: { errcode: 'M_WRONG_ROOM_KEYS_VERSION', current_version: old },
    });
    expect(await alice.ok('GET', `${V3}/room_keys/keys?version=${version}`)).toEqual(body);
    expect(await alice.ok('GET', `${V3}/room_keys/version`)).toMatchObject({ ...info, version, count: 1 });
  });
}

function publicKey(): string {
  return randomBytes(32).toString('base64').replace('=', '');
}
