import { titles } from '../targets/index.mjs';
import { number, wrongDeliveries } from './interleaved.mjs';

/** A row per target: sends a second, processor time, and both beside a base. */
export function sendTable(title, results, base = 'relay') {
  return {
    title,
    columns: [
      '',
      'sends/s',
      'ratio',
      'server ms/1,000',
      'ratio',
      '+ Postgres',
      '+ Redis',
      'p50 ms',
      'p99 ms',
      'lost, doubled, reordered',
    ],
    bar: { title: `sends/s, ${titles[base]} = 1`, of: (name) => results.ratio(name, 'perSecond', base) },
    names: results.names,
    rows: results.names.map((name) => [
      titles[name],
      number(results.of(name, 'perSecond')),
      number(results.ratio(name, 'perSecond', base), 2),
      number(results.of(name, 'serverPer1000')),
      number(results.ratio(name, 'serverPer1000', base), 2),
      number(results.of(name, 'postgresPer1000')),
      number(results.of(name, 'redisPer1000')),
      number(results.of(name, 'p50'), 1),
      number(results.of(name, 'p99'), 1),
      wrongDeliveries(results, name),
    ]),
  };
}

/** A row per target: what a delivery costs the server. */
export function deliveryTable(title, results, base = 'relay') {
  return {
    title,
    columns: ['', 'deliveries/s', 'server µs per delivery', 'ratio', 'p50 ms', 'lost, doubled, reordered'],
    bar: { title: `CPU per delivery, ${titles[base]} = 1`, of: (name) => results.ratio(name, 'perDeliveryUs', base) },
    names: results.names,
    rows: results.names.map((name) => [
      titles[name],
      number((results.of(name, 'perSecond') * results.of(name, 'deliveries')) / results.of(name, 'acked')),
      number(results.of(name, 'perDeliveryUs'), 1),
      number(results.ratio(name, 'perDeliveryUs', base), 2),
      number(results.of(name, 'p50'), 1),
      wrongDeliveries(results, name),
    ]),
  };
}
