import type { JsonObject } from '../../../util/json.ts';
import { stringAt } from '../json-read.ts';
import { forbidden, notFound } from '../matrix-error.ts';
import { mayRedact } from '../power.ts';
import type { Reply, RouteRequest, Router } from '../router.ts';
import type { Session } from '../types.ts';
import type { World } from '../world.ts';

const ROOM = '/_matrix/client/v3/rooms/{room}';

/** Sending: messages, state, redactions, receipts, typing. */
export function addEventRoutes(router: Router, world: World): void {
  router.on('PUT', `${ROOM}/send/{type}/{txn}`, (request, session) => {
    const content = request.json();
    const json = world.transactions.once(session, request.path, () => {
      const room = world.rooms.needMember(request.param('room'), session.userId);
      world.rateLimiter.take('message', session.userId);
      const transaction = { deviceId: session.deviceId, id: request.param('txn') };
      const type = request.param('type');
      const redacts = type === 'm.room.redaction' ? (stringAt(content, 'redacts') ?? undefined) : undefined;
      const event = world.rooms.send(room, { type, sender: session.userId, content, transaction, redacts });
      return { event_id: event.eventId };
    });
    return { json };
  });
  router.on('PUT', `${ROOM}/redact/{event}/{txn}`, (request, session) => redact(world, request, session));
  addState(router, world);
  addEphemeral(router, world);
}

function redact(world: World, request: RouteRequest, session: Session): Reply {
  const body = request.json();
  const json = world.transactions.once(session, request.path, () => {
    const room = world.rooms.needMember(request.param('room'), session.userId);
    world.rateLimiter.take('message', session.userId);
    const target = room.event(request.param('event'));
    if (target !== null && !mayRedact(room, session.userId, target.sender)) {
      throw forbidden("You don't have permission to redact events");
    }
    const event = world.rooms.send(room, {
      type: 'm.room.redaction',
      sender: session.userId,
      content: { ...body, redacts: request.param('event') },
      redacts: request.param('event'),
      transaction: { deviceId: session.deviceId, id: request.param('txn') },
    });
    return { event_id: event.eventId };
  });
  return { json };
}

function addState(router: Router, world: World): void {
  for (const path of [`${ROOM}/state/{type}`, `${ROOM}/state/{type}/{key}`]) {
    const stateKey = (request: RouteRequest): string => (path.endsWith('{key}') ? request.param('key') : '');
    router.on('PUT', path, (request, session) => {
      const room = world.rooms.needMember(request.param('room'), session.userId);
      if (request.param('type') !== 'm.room.member') world.rateLimiter.take('message', session.userId);
      const event = world.rooms.send(room, {
        type: request.param('type'),
        sender: session.userId,
        stateKey: stateKey(request),
        content: request.json(),
      });
      return { json: { event_id: event.eventId } };
    });
    router.on('GET', path, (request, session) => {
      const room = world.rooms.needMember(request.param('room'), session.userId, true);
      const event = room.state(request.param('type'), stateKey(request));
      if (event === null) throw notFound('Event not found.');
      return { json: event.content };
    });
  }
}

function addEphemeral(router: Router, world: World): void {
  router.on('POST', `${ROOM}/receipt/{kind}/{event}`, (request, session) => {
    const place = { roomId: request.param('room'), kind: request.param('kind'), eventId: request.param('event') };
    receipt(world, session, place);
    return { json: {} };
  });
  router.on('POST', `${ROOM}/read_markers`, (request, session) => {
    const body = request.json();
    const roomId = request.param('room');
    for (const kind of ['m.read', 'm.read.private']) {
      const eventId = stringAt(body, kind);
      if (eventId !== null) receipt(world, session, { roomId, kind, eventId });
    }
    const marker = stringAt(body, 'm.fully_read');
    if (marker !== null) {
      const account = world.accounts.need(session.userId);
      world.accounts.setAccountData(account, { roomId, type: 'm.fully_read' }, { event_id: marker });
    }
    return { json: {} };
  });
  router.on('PUT', `${ROOM}/typing/{userId}`, (request, session) => {
    const body = request.json();
    const room = world.rooms.needMember(request.param('room'), session.userId);
    const bump = (): void => {
      room.typingPos = world.hub.next();
      world.hub.notify();
    };
    room.typing.get(session.userId)?.();
    room.typing.delete(session.userId);
    if (body.typing === true) {
      const timeoutMs = typeof body.timeout === 'number' ? body.timeout : 30_000;
      const expire = (): void => {
        room.typing.delete(session.userId);
        bump();
      };
      room.typing.set(session.userId, world.clock.after(timeoutMs, expire, { background: true }));
    }
    bump();
    return { json: {} };
  });
}

interface ReceiptPlace {
  readonly roomId: string;
  readonly kind: string;
  readonly eventId: string;
}

function receipt(world: World, session: Session, { roomId, kind, eventId }: ReceiptPlace): void {
  const room = world.rooms.needMember(roomId, session.userId);
  const content: JsonObject = { [eventId]: { [kind]: { [session.userId]: { ts: world.clock.now() } } } };
  room.receipts.set(`${kind}\0${session.userId}`, { pos: world.hub.next(), content });
  world.hub.notify();
}
