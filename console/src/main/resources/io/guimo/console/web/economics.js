// What a unit earns, what it really costs, and when its training is paid back.
import { h, tags } from './tags.js';
import { useSpeech } from './language.js';
import { useOwner } from './api.js';
import { useLoaded } from './loading.js';
import { approximate } from './format.js';
import { Card, Empty, Loaded, Page, Stats } from './parts.js';
import { Plot, axis, named } from './plot.js';

const { details, div, li, p, summary, ul } = tags;

export const Economics = () => {
  const { t } = useSpeech();
  const owner = useOwner();
  const economics = useLoaded((signal) => owner.economics(signal), [owner]);
  return h(Page, { title: t('economics.title'), lead: t('economics.lead') },
    h(Loaded, { from: economics }, ({ data }) => data.length === 0
      ? h(Card, {}, h(Empty, { title: t('economics.none') }, t('economics.none-hint')))
      : [
        h(UnitCosts, { key: 'costs', products: data }),
        data.map((product) => h(Product, { product, key: `${product.model} ${product.meter}` })),
      ]));
};

/** A model's name; with what is counted where it is sold by several meters. */
const nameOf = (products, code) => (product) => products.filter(({ model }) => model === product.model).length > 1
  ? `${product.model} · ${code('meter', product.meter)}` : product.model;

const MEASURES = ['price', 'cost', 'cost_at_full_utilisation'];

/** Price and costs of a unit side by side. On a logarithmic axis, since a cost can be a thousandth of its price. */
const UnitCosts = ({ products }) => {
  const { t, measuredMoney, money, code } = useSpeech();
  const name = nameOf(products, code);
  const written = (product, measure) => product[measure] === null ? '–'
    : measure === 'price' ? money(product[measure], product.currency) : measuredMoney(product[measure], product.currency);
  const drawn = (product, measure) => product[measure] === null || approximate(product[measure]) <= 0 ? null : approximate(product[measure]);
  return h(Card, { title: t('economics.unit'), hint: t('economics.unit-hint') },
    h(Plot, {
      label: t('economics.unit'), inputs: [products],
      draw: (colour) => ({
        grid: { left: 16, right: 40 },
        xAxis: axis(colour, 'log', { axisLabel: { formatter: (value) => measuredMoney(String(value.toFixed(12)), products[0].currency) } }),
        yAxis: axis(colour, 'category', { data: products.map(name), inverse: true, axisLine: { show: false } }),
        tooltip: { formatter: ({ seriesName, dataIndex, seriesIndex }) => `${name(products[dataIndex])}\n${seriesName}  ${written(products[dataIndex], MEASURES[seriesIndex])}` },
        series: [
          ...MEASURES.map((measure, index) => ({
            name: t(`economics.${measure}`), type: 'scatter', symbolSize: 17, symbol: ['diamond', 'circle', 'circle'][index], z: 3,
            itemStyle: index === 2 ? { color: colour.surface, borderColor: colour.series[index], borderWidth: 3 } : { opacity: 1 },
            data: products.map((product) => [drawn(product, measure), name(product)]),
          })),
          ...products.map((product) => ({
            type: 'line', symbol: 'none', silent: true, z: 1, lineStyle: { color: colour.line, width: 5, cap: 'round' }, tooltip: { show: false },
            data: MEASURES.map((measure) => drawn(product, measure)).filter((value) => value !== null).sort((one, other) => one - other).map((value) => [value, name(product)]),
          })),
        ],
      }),
      figures: {
        columns: [
          { title: t('column.model'), cell: name },
          ...MEASURES.map((measure) => ({ title: t(`economics.${measure}`), end: true, cell: (product) => written(product, measure) })),
        ],
        rows: products,
      },
    }));
};

const Product = ({ product }) => {
  const { t, money, measuredMoney, percent, count, compact, code } = useSpeech();
  const { currency, break_even_units: evenAt } = product;
  const trained = product.training_cost !== null;
  return h(Card, { title: product.model, hint: t('economics.per', { unit: code('unit-of', product.meter) }) },
    div({ class: 'stack tight' },
      h(Stats, { of: [
        { label: t('economics.sold'), value: compact(product.units_sold), exact: count(product.units_sold), note: money(product.revenue, currency) },
        {
          label: t('economics.margin'), value: product.margin === null ? '–' : percent(product.margin),
          tone: product.margin === null ? '' : product.margin < 0 ? 'bad' : 'good',
          note: t('economics.margin-note', { cost: measuredMoney(product.measured_cost, currency) }),
        },
        { label: t('economics.utilisation'), value: percent(product.utilisation), note: t('economics.utilisation-note') },
        {
          label: t('economics.break-even'), value: !trained || evenAt === null ? '–' : compact(evenAt), exact: evenAt === null ? undefined : count(evenAt),
          note: trained ? t('economics.training', { cost: measuredMoney(product.training_cost, currency) }) : t('economics.untrained'),
        },
      ] }),
      !trained ? p({ class: 'soft' }, t('economics.no-training'))
        : product.price === null || product.cost === null ? p({ class: 'soft' }, t('economics.unmeasured'))
          : evenAt === null ? p({ class: 'soft' }, t('economics.never')) : h(BreakEven, { product }),
      details({ class: 'plot-table' },
        summary(t('economics.derivation')),
        ul({ lang: 'en' }, product.derivation.map((line) => li({ key: line }, line))))));
};

const POINTS = 41;

/** Revenue and cost up to twice the break-even: beyond that the two lines only part further. */
const BreakEven = ({ product }) => {
  const { t, measuredMoney, compact, count } = useSpeech();
  const { currency, units_sold: sold, break_even_units: evenAt } = product;
  const [price, cost, atFull, training] = [product.price, product.cost, product.cost_at_full_utilisation, product.training_cost].map(approximate);
  const crossing = training / (price - cost);
  const last = evenAt * 2;
  const points = Array.from({ length: POINTS }, (_, index) => last * index / (POINTS - 1));
  const revenue = (units) => price * units;
  const spending = (units) => training + cost * units;
  const spendingAtFull = (units) => training + atFull * units;
  const rounded = (value) => measuredMoney(value.toFixed(12), currency);
  return [
    h(Plot, {
      key: 'plot', label: t('economics.break-even-of', { model: product.model }), inputs: [product],
      draw: (colour) => ({
        grid: { right: 32 },
        xAxis: axis(colour, 'value', { max: last, axisLabel: { formatter: compact }, splitLine: { show: false }, ...named(t('economics.units')) }),
        yAxis: axis(colour, 'value', { axisLabel: { formatter: rounded } }),
        tooltip: {
          trigger: 'axis',
          formatter: (shown) => [count(shown[0].value[0]), ...shown.map((each) => `${each.seriesName}  ${rounded(each.value[1])}`)].join('\n'),
        },
        series: [
          {
            name: t('economics.revenue'), type: 'line', symbol: 'none', lineStyle: { width: 2.5 }, data: points.map((each) => [each, revenue(each)]),
            markPoint: {
              symbol: 'circle', symbolSize: 13, itemStyle: { color: colour.surface, borderColor: colour.ink, borderWidth: 2.5 },
              label: { position: 'top', distance: 8, color: colour.ink, formatter: t('economics.break-even-at', { units: compact(evenAt) }) },
              data: [{ coord: [crossing, revenue(crossing)] }],
            },
            markLine: sold > last ? undefined : {
              symbol: 'none', silent: true, lineStyle: { color: colour.soft, type: 'dotted' }, label: { color: colour.soft, formatter: t('economics.sold-so-far') },
              data: [{ xAxis: sold }],
            },
          },
          { name: t('economics.spending'), type: 'line', symbol: 'none', lineStyle: { width: 2.5 }, data: points.map((each) => [each, spending(each)]) },
          {
            name: t('economics.spending-at-full'), type: 'line', symbol: 'none', lineStyle: { width: 2, type: 'dashed' },
            data: points.map((each) => [each, spendingAtFull(each)]),
          },
        ],
      }),
      figures: {
        columns: [
          { title: t('economics.units'), cell: (each) => count(each) },
          { title: t('economics.revenue'), cell: (each) => rounded(revenue(each)), end: true },
          { title: t('economics.spending'), cell: (each) => rounded(spending(each)), end: true },
          { title: t('economics.spending-at-full'), cell: (each) => rounded(spendingAtFull(each)), end: true },
        ],
        rows: points.filter((_, index) => index % 5 === 0),
      },
    }),
    sold > last && p({ key: 'note', class: 'plot-note' }, t('economics.beyond', { times: compact(sold / evenAt) })),
  ];
};
