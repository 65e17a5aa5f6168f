/**
 * `signals`: what is done about signs that somebody else uses a session.
 */
import type { OPTION_KEYS } from './config-keys.js';
import type { OptionGroup } from './config-reader.js';
import { kindOf } from './config-text.js';
import type { RiskHook, SignalRules } from './signals.js';

const MODES = ['off', 'report', 'enforce'] as const;

/** Reads the group `signals`. */
export function readSignals(group: OptionGroup<(typeof OPTION_KEYS.signals)[number]>): SignalRules {
  if (group.get('forgeryBurst') === 'enforce') {
    group.problem(
      'forgeryBurst',
      "must be 'off' or 'report': a forged token belongs to no session that could be stopped",
    );
  }
  const forgeryBurst = group.choice('forgeryBurst', MODES) ?? 'report';
  return Object.freeze({
    addressChange: group.choice('addressChange', MODES) ?? 'report',
    clientChange: group.choice('clientChange', MODES) ?? 'report',
    forgeryBurst: forgeryBurst === 'off' ? 'off' : 'report',
    onRisk: readHook(group),
  });
}

function readHook(group: OptionGroup<'onRisk'>): RiskHook | undefined {
  const raw = group.get('onRisk');
  if (raw === undefined) return undefined;
  if (typeof raw === 'function') return raw as RiskHook;
  group.problem('onRisk', `must be a function (got ${kindOf(raw)})`);
  return undefined;
}
