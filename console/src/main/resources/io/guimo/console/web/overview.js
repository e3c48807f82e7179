// What was asked, what it earned, and whether the books balance.
import { h, tags } from './tags.js';
import { useState } from './hooks.js';
import { useSpeech } from './language.js';
import { useOwner } from './api.js';
import { useEvery, useLoaded } from './loading.js';
import { approximate, sum } from './format.js';
import { Badge, Card, Choices, Empty, Facts, Loaded, Page, Stats, Table } from './parts.js';
import { Plot, axis } from './plot.js';
import { Icon } from './icons.js';

const { a, div, p } = tags;

const REFRESH_SECONDS = 15;

export const Overview = () => {
  const { t } = useSpeech();
  const owner = useOwner();
  const usage = useLoaded((signal) => Promise.all([owner.usageSums(signal), owner.usageByDay(signal)]), [owner]);
  const ledger = useLoaded((signal) => owner.ledger(signal), [owner]);
  const models = useLoaded((signal) => owner.models(signal), [owner]);
  useEvery(REFRESH_SECONDS, () => { usage.again(); ledger.again(); });
  return h(Page, { title: t('overview.title'), lead: t('overview.lead') },
    h(Loaded, { from: usage }, ([sums, days]) => h(Loaded, { from: ledger }, (books) => h(Loaded, { from: models }, (served) => [
      h(Headline, { key: 'headline', products: byProduct(sums.data), books, models: served.data }),
      h(Days, { key: 'days', days: days.data }),
      div({ class: 'columns', key: 'more' },
        h(ByModel, { products: byProduct(sums.data) }),
        h(Books, { books })),
    ]))));
};

/**
 * All usage by product and currency, from the server's rows by meter. A request uses each of its product's meters at most once, so the
 * most used meter tells the requests.
 */
const byProduct = (sums) => [...Map.groupBy(sums, (row) => `${row.product} ${row.currency}`).values()].map((meters) => ({
  product: meters[0].product,
  currency: meters[0].currency,
  requests: Math.max(...meters.map((row) => row.requests)),
  meters,
  amount: sum(meters.map((row) => row.amount)),
}));

/** Amounts of several currencies are never added to each other. */
const amounts = (products) => {
  const byCurrency = Map.groupBy(products, (product) => product.currency);
  return [...byCurrency].map(([currency, rows]) => ({ currency, amount: sum(rows.map((row) => row.amount)) }));
};

const Headline = ({ products, books, models }) => {
  const { t, count, money } = useSpeech();
  const requests = products.reduce((total, product) => total + product.requests, 0);
  const earned = amounts(products);
  return h(Stats, { of: [
    { label: t('overview.requests'), value: count(requests), note: t('overview.since-start') },
    {
      label: t('overview.earned'), note: t('overview.exact'),
      value: earned.length ? earned.map(({ currency, amount }) => money(amount, currency)).join(' + ') : '–',
    },
    { label: t('overview.models'), value: count(models.filter((model) => model.promoted_version !== null).length), note: t('overview.models-note') },
    {
      label: t('overview.ledger'), value: books.right ? t('ledger.balanced') : t('ledger.unbalanced'),
      tone: books.right ? 'good' : 'bad', note: t('overview.postings', { count: count(books.postings) }),
    },
  ] });
};

const Days = ({ days }) => {
  const { t, count, money, day: dayName, shortDay, compact } = useSpeech();
  const [measure, setMeasure] = useState('requests');
  const currencies = [...new Set(days.map((day) => day.currency))];
  const shown = measure === 'requests' ? days : days.filter((day) => day.currency === measure);
  const dates = daysBetween(days.map((day) => day.day));
  const products = [...new Set(shown.map((day) => day.product))].sort();
  const value = (row) => measure === 'requests' ? row.requests : approximate(row.amount);
  const written = (row) => measure === 'requests' ? count(row.requests) : money(row.amount, row.currency);
  const at = (product, date) => shown.filter((row) => row.product === product && row.day === date);
  const title = measure === 'requests' ? t('overview.requests-by-day') : t('overview.money-by-day', { currency: measure });

  return h(Card, { title },
    days.length === 0 ? h(Empty, { title: t('overview.nothing') }, t('overview.nothing-hint')) : [
      h(Choices, {
        key: 'measure', label: t('overview.measure'), value: measure, onChoose: setMeasure,
        options: [['requests', t('overview.requests')], ...currencies.map((currency) => [currency, t('overview.money', { currency })])],
      }),
      h(Plot, {
        key: 'plot', label: title, inputs: [days, measure],
        draw: (colour) => ({
          xAxis: axis(colour, 'category', { data: dates.map(shortDay) }),
          yAxis: axis(colour, 'value', { axisLabel: { formatter: compact }, minInterval: measure === 'requests' ? 1 : undefined }),
          tooltip: {
            trigger: 'axis', axisPointer: { type: 'shadow', shadowStyle: { color: colour.line, opacity: .4 } },
            formatter: (points) => [dayName(dates[points[0].dataIndex]), ...products.flatMap((product) =>
              at(product, dates[points[0].dataIndex]).map((row) => `${product}  ${written(row)}`))].join('\n'),
          },
          series: products.map((product) => ({
            name: product, type: 'bar', stack: 'all', barMaxWidth: 42,
            data: dates.map((date) => at(product, date).reduce((total, row) => total + value(row), 0)),
          })),
        }),
        figures: {
          columns: [
            { title: t('column.day'), cell: (row) => dayName(row.day) },
            { title: t('column.model'), cell: (row) => row.product },
            { title: t('column.requests'), cell: (row) => count(row.requests), end: true },
            { title: t('column.amount'), cell: (row) => money(row.amount, row.currency), end: true },
          ],
          rows: days,
        },
      }),
    ]);
};

/** All days from the first to the last, so that a day without use shows as one. At least a week, so that one day is no wall. */
const daysBetween = (isoDays) => {
  if (isoDays.length === 0) return [];
  const DAY = 86_400_000;
  const times = isoDays.map((day) => Date.parse(`${day}T00:00:00Z`));
  const last = Math.max(...times);
  const first = Math.min(...times, last - 6 * DAY);
  return Array.from({ length: Math.round((last - first) / DAY) + 1 }, (_, index) => new Date(first + index * DAY).toISOString().slice(0, 10));
};

const ByModel = ({ products }) => {
  const { t, count, counted, money } = useSpeech();
  return h(Card, { title: t('overview.by-model'), kind: 'two-thirds' },
    products.length === 0 ? h(Empty, { title: t('overview.nothing') }) : h(Table, {
      label: t('overview.by-model'), rows: products, keyOf: (each) => `${each.product} ${each.currency}`,
      columns: [
        { title: t('column.model'), cell: (each) => a({ href: `#/models/${encodeURIComponent(each.product)}` }, each.product) },
        { title: t('column.requests'), cell: (each) => count(each.requests), end: true },
        { title: t('column.used'), end: true, cell: (each) => each.meters.map((row) => p({ key: row.meter }, counted(row.meter, row.quantity))) },
        { title: t('column.amount'), cell: (each) => money(each.amount, each.currency), end: true },
      ],
    }));
};

const Books = ({ books }) => {
  const { t, count, money } = useSpeech();
  return h(Card, { title: t('ledger.title'), kind: 'third' },
    h(Facts, { of: [
      [t('ledger.state'), h(Badge, books.right ? { tone: 'good', icon: 'check' } : { tone: 'bad', icon: 'cross' },
        books.right ? t('ledger.balanced') : t('ledger.unbalanced'))],
      ...Object.entries(books.sum_by_currency).map(([currency, amount]) => [t('ledger.sum', { currency }), money(amount, currency)]),
      [t('ledger.postings'), count(books.postings)],
      [t('ledger.open'), count(books.open_reservations)],
    ] }),
    books.problems.map((problem) => div({ class: 'notice bad', lang: 'en', key: problem }, h(Icon, { name: 'notice' }), p(problem))));
};
