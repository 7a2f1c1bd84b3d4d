// Conditions that a person should know of. Each is raised and cleared by the node itself.
import type { Alarm } from '../protocol/node-status.ts';
import type { EventRecorder } from './event-recorder.ts';

export class Alarms {
  readonly #raised = new Set<Alarm>();
  readonly #events: EventRecorder;

  constructor(events: EventRecorder) {
    this.#events = events;
  }

  get list(): readonly Alarm[] {
    return [...this.#raised];
  }

  has(alarm: Alarm): boolean {
    return this.#raised.has(alarm);
  }

  /** True when this changed something. */
  set(alarm: Alarm, isOn: boolean, message: () => string): boolean {
    if (isOn === this.#raised.has(alarm)) return false;
    if (isOn) {
      this.#raised.add(alarm);
      this.#events.record({ type: 'alarmRaised', alarm, message: message() });
    } else {
      this.#raised.delete(alarm);
      this.#events.record({ type: 'alarmCleared', alarm });
    }
    return true;
  }
}
