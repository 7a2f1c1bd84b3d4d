// Prepares the operations of one key for the search: picks the model, drops what cannot matter, groups
// interchangeable operations into classes, and lays everything out in typed arrays.
import type { Operation } from './history.ts';
import { AppendModel } from './models/append.ts';
import type { Effect, Model, ModelName } from './models/model.ts';
import { RegisterModel } from './models/register.ts';

export interface KeyHistory {
  readonly model: Model;
  /** Operations that happened, in the order of their calls. */
  readonly known: readonly Operation[];
  readonly calls: Int32Array;
  readonly returns: Int32Array;
  readonly classOf: Int32Array;
  readonly effects: readonly Effect[];
  /** Useful operations of unknown outcome, grouped by class, in the order of their calls within each. */
  readonly unknown: readonly Operation[];
  readonly unknownCalls: Int32Array;
  /** Those of class c are unknown[unknownOffsets[c]] up to, not with, unknown[unknownOffsets[c + 1]]. */
  readonly unknownOffsets: Int32Array;
}

/** A failed append still says that the key holds a list. */
export function chooseModel(operations: readonly Operation[]): ModelName {
  if (!operations.some((operation) => operation.f === 'append')) return 'register';
  const changesWhole = (operation: Operation) =>
    (operation.f === 'write' || operation.f === 'cas') && operation.outcome !== 'fail';
  return operations.some(changesWhole) ? 'mixed' : 'append';
}

/**
 * `operations` are of one key, in the order of their calls. Failed ones did not happen and are left out; so are
 * reads of unknown outcome, which neither changed anything nor told anything.
 */
export function compileKey(
  operations: readonly Operation[],
  modelName: ModelName,
  options: { readonly forExplanation: boolean },
): KeyHistory {
  const model =
    modelName === 'register'
      ? new RegisterModel()
      : new AppendModel(modelName, { useTarget: !options.forExplanation });
  const known = operations.filter((operation) => operation.outcome === 'ok');
  const open = operations.filter((operation) => operation.outcome === 'unknown' && operation.f !== 'read');
  const knownEffects = known.map((operation) => model.effectOf(operation));
  const openEffects = open.map((operation) => model.effectOf(operation));
  model.seal(knownEffects, openEffects);

  const classes = new ClassTable();
  const classOf = Int32Array.from(knownEffects, (effect) => classes.idOf(effect));
  const byClass = new Map<number, Operation[]>();
  for (const [index, operation] of open.entries()) {
    const effect = openEffects[index];
    if (effect === undefined || !model.isUnknownUseful(effect)) continue;
    const classId = classes.idOf(effect);
    const group = byClass.get(classId);
    if (group === undefined) byClass.set(classId, [operation]);
    else group.push(operation);
  }
  const unknownOffsets = new Int32Array(classes.effects.length + 1);
  const unknown: Operation[] = [];
  for (let classId = 0; classId < classes.effects.length; classId++) {
    unknown.push(...(byClass.get(classId) ?? []));
    unknownOffsets[classId + 1] = unknown.length;
  }
  return {
    model,
    known,
    calls: Int32Array.from(known, (operation) => operation.callPosition),
    returns: Int32Array.from(known, (operation) => operation.returnPosition),
    classOf,
    effects: classes.effects,
    unknown,
    unknownCalls: Int32Array.from(unknown, (operation) => operation.callPosition),
    unknownOffsets,
  };
}

class ClassTable {
  readonly effects: Effect[] = [];
  readonly #ids = new Map<string, number>();

  idOf(effect: Effect): number {
    const text = `${effect.needs},${effect.makes},${effect.element}`;
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const id = this.effects.length;
    this.#ids.set(text, id);
    this.effects.push(effect);
    return id;
  }
}
