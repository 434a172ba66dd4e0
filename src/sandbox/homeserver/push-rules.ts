import type { JsonObject } from '../../util/json.ts';

/** The few push rules that a client expects to find. */
export function defaultPushRules(): JsonObject {
  const rule = (ruleId: string, rest: JsonObject): JsonObject => ({
    rule_id: ruleId,
    default: true,
    enabled: true,
    ...rest,
  });
  return {
    global: {
      override: [
        rule('.m.rule.master', { enabled: false, conditions: [], actions: [] }),
        rule('.m.rule.suppress_notices', {
          conditions: [{ kind: 'event_match', key: 'content.msgtype', pattern: 'm.notice' }],
          actions: [],
        }),
      ],
      content: [],
      room: [],
      sender: [],
      underride: [
        rule('.m.rule.message', {
          conditions: [{ kind: 'event_match', key: 'type', pattern: 'm.room.message' }],
          actions: ['notify'],
        }),
        rule('.m.rule.encrypted', {
          conditions: [{ kind: 'event_match', key: 'type', pattern: 'm.room.encrypted' }],
          actions: ['notify'],
        }),
      ],
    },
  };
}
