/** How far and how fast: figures as people read them. */
import { numberOf } from '../offline/figures.ts';

/** "850 ms", "12 s", "3 min 20 s", "2 h 5 min" */
export function duration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  const seconds = Math.round(milliseconds / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Progress towards a known total. */
export class Pace {
  readonly #total: number;
  readonly #startedAt = performance.now();

  constructor(total: number) {
    this.#total = total;
  }

  /** "12,000 of 50,000 runs (24%), 8,000 runs/s, 5 s left" */
  at(done: number, noun: string): string {
    const elapsed = performance.now() - this.#startedAt;
    const share = this.#total === 0 ? 100 : Math.min(100, Math.floor((done / this.#total) * 100));
    const rate = done / (elapsed / 1_000);
    const left = done === 0 ? '' : `, ${duration(Math.max(0, ((this.#total - done) / done) * elapsed))} left`;
    const figures = [done, this.#total].map(numberOf).join(' of ');
    return `${figures} ${noun} (${share}%), ${numberOf(Math.round(rate))} ${noun}/s${left}`;
  }
}
