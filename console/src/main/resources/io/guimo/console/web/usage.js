// What was used, request by request, and how each price came about.
import { h, tags } from './tags.js';
import { useState } from './hooks.js';
import { useSpeech } from './language.js';
import { useOwner } from './api.js';
import { useLoaded, useList } from './loading.js';
import { Card, Empty, Facts, Failure, Filter, Loaded, Page, Table, Waiting } from './parts.js';
import { Icon } from './icons.js';

const { a, button, code: codeText, div, li, ol, p, span, strong } = tags;

const PAGE = 50;

export const Usage = () => {
  const { t } = useSpeech();
  const owner = useOwner();
  const [organization, setOrganization] = useState('');
  const [product, setProduct] = useState('');
  const organizations = useLoaded((signal) => owner.organizations(signal), [owner]);
  const models = useLoaded((signal) => owner.models(signal), [owner]);
  return h(Page, { title: t('usage.title'), lead: t('usage.lead') },
    h(Loaded, { from: organizations }, (known) => h(Loaded, { from: models }, (served) => h(Card, {},
      div({ class: 'row filters' },
        h(Filter, { id: 'organization', text: t('usage.organization'), all: t('usage.all-organizations'), value: organization, onChoose: setOrganization,
          options: known.data.map((each) => [each.id, each.name]) }),
        h(Filter, { id: 'product', text: t('column.model'), all: t('usage.all-models'), value: product, onChoose: setProduct,
          options: served.data.map((each) => [each.name, each.name]) })),
      h(Events, { organization, product, key: `${organization}/${product}` })))));
};

const Events = ({ organization, product }) => {
  const { t, moment, money, counted, list } = useSpeech();
  const owner = useOwner();
  const events = useList((after, signal) => owner.usage({ organization, product, after, limit: PAGE }, signal), [owner, organization, product]);
  if (!events.rows) return events.error ? h(Failure, { error: events.error, again: events.again }) : h(Waiting);
  if (events.rows.length === 0) return h(Empty, { title: t('usage.none') }, t('usage.none-hint'));
  return [
    h(Table, {
      key: 'table', label: t('usage.title'), rows: events.rows, keyOf: (event) => event.request_id,
      columns: [
        { title: t('column.time'), cell: (event) => moment(event.used_at) },
        { title: t('column.request'), cell: (event) => a({ href: `#/usage/${event.request_id}`, class: 'mono' }, event.request_id) },
        { title: t('column.model'), cell: (event) => event.product },
        { title: t('column.used'), end: true, cell: (event) => list(event.lines.map((line) => counted(line.meter, line.quantity))) },
        { title: t('column.amount'), end: true, cell: (event) => money(event.amount, event.currency) },
      ],
    }),
    events.error && h(Failure, { key: 'failure', error: events.error, again: events.again }),
    events.more && div({ class: 'more', key: 'more' },
      button({ type: 'button', onClick: events.more, disabled: events.busy }, events.busy ? t('waiting') : t('usage.more'))),
  ];
};

/** A receipt: what was counted, which tiers it went through, and the postings it made. */
export const Receipt = ({ id }) => {
  const { t } = useSpeech();
  const owner = useOwner();
  const receipt = useLoaded((signal) => owner.receipt(id, signal), [owner, id]);
  return h(Page, { title: t('receipt.title'), lead: codeText(id), back: { href: '#/usage', text: t('usage.title') } },
    h(Loaded, { from: receipt }, (found) => div({ class: 'columns' },
      div({ class: 'two-thirds stack' }, h(Derivation, { receipt: found }), h(Postings, { receipt: found })),
      div({ class: 'third stack' }, h(Terms, { receipt: found }), h(Verification, { receipt: found })))));
};

const Derivation = ({ receipt }) => {
  const { t, money, count, code } = useSpeech();
  const { currency } = receipt;
  return h(Card, { title: t('receipt.derivation') },
    ol({ class: 'steps' },
      receipt.lines.flatMap((line) => line.steps.map((step) => li({ key: `${line.meter} ${step.tier}` },
        div(
          strong(t('receipt.tier', { tier: step.tier })), ` · ${code('meter', line.meter)}`,
          p({ class: 'small soft' }, t('receipt.walk', {
            quantity: count(step.quantity), after: count(step.after), rate: money(step.rate.amount, currency), per: count(step.rate.per),
          }))),
        span(money(step.amount, currency))))),
      li({ class: 'total', key: 'total' }, span(t('receipt.total')), span(money(receipt.amount, currency)))));
};

const Postings = ({ receipt }) => {
  const { t, code, money } = useSpeech();
  return h(Card, { title: t('receipt.postings'), hint: t('receipt.postings-hint') },
    receipt.postings.length === 0 ? h(Empty, { title: t('receipt.no-postings') }) : h(Table, {
      label: t('receipt.postings'), rows: receipt.postings, keyOf: (posting) => posting.id,
      columns: [
        { title: t('column.posting'), cell: (posting) => codeText(posting.id) },
        { title: t('column.account'), cell: (posting) => code('account', posting.account) },
        { title: t('column.amount'), end: true, cell: (posting) => money(posting.amount, receipt.currency) },
      ],
    }));
};

const Terms = ({ receipt }) => {
  const { t, moment, money } = useSpeech();
  return h(Card, { title: t('receipt.terms') },
    h(Facts, { of: [
      [t('column.amount'), strong(money(receipt.amount, receipt.currency))],
      [t('column.model'), receipt.product],
      [t('receipt.used-at'), moment(receipt.used_at)],
      [t('usage.organization'), receipt.organization_name],
      [t('receipt.plan'), receipt.plan],
      [t('receipt.price-version'), codeText(receipt.price_version)],
    ] }));
};

const Verification = ({ receipt }) => {
  const { t, money } = useSpeech();
  const owner = useOwner();
  const [state, setState] = useState({});
  const verify = async () => {
    setState({ busy: true });
    try {
      setState({ result: await owner.verifyReceipt(receipt.request_id) });
    } catch (error) {
      setState({ error });
    }
  };
  return h(Card, { title: t('receipt.verify') },
    div({ class: 'stack tight' },
      p({ class: 'small soft' }, t('receipt.verify-hint')),
      button({ type: 'button', onClick: verify, disabled: state.busy }, h(Icon, { name: 'again' }), state.busy ? t('waiting') : t('receipt.verify-now')),
      div({ 'aria-live': 'polite' },
        state.error && h(Failure, { error: state.error }),
        state.result && div({ class: `notice ${state.result.agrees ? 'good' : 'bad'}` },
          h(Icon, { name: state.result.agrees ? 'check' : 'cross' }),
          div(
            strong(state.result.agrees ? t('receipt.agrees') : t('receipt.differs')),
            p({ class: 'small' }, t('receipt.replayed', { amount: money(state.result.amount, receipt.currency) })),
            state.result.differences.map((difference) => p({ class: 'small', lang: 'en', key: difference }, difference)))))));
};
