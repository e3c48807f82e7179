// Invoices, and one as the document its customer gets.
import { h, tags } from './tags.js';
import { useState } from './hooks.js';
import { useSpeech } from './language.js';
import { useOwner } from './api.js';
import { useLoaded, useList } from './loading.js';
import { Badge, Card, Empty, Failure, Filter, Loaded, Page, Table, Waiting } from './parts.js';
import { Icon } from './icons.js';

const { a, article, button, dd, div, dl, dt, footer, header, li, p, span, strong, ul } = tags;

const PAGE = 50;

const StatusBadge = ({ status }) => {
  const { code } = useSpeech();
  return h(Badge, status === 'final' ? { tone: 'good', icon: 'check' } : {}, code('invoice-status', status));
};

/** The days of a period in its zone; its end is the first instant after it. */
const usePeriod = () => {
  const { t, dayIn } = useSpeech();
  return ({ period_start: start, period_end: end, zone }) => t('invoice.period-value', {
    first: dayIn(start, zone), last: dayIn(new Date(Date.parse(end) - 1).toISOString(), zone),
  });
};

export const Invoices = () => {
  const { t } = useSpeech();
  const owner = useOwner();
  const [organization, setOrganization] = useState('');
  const organizations = useLoaded((signal) => owner.organizations(signal), [owner]);
  return h(Page, { title: t('invoices.title'), lead: t('invoices.lead') },
    h(Loaded, { from: organizations }, ({ data }) => h(Card, {},
      div({ class: 'row filters' },
        h(Filter, { id: 'organization', text: t('usage.organization'), all: t('invoices.all'), value: organization, onChoose: setOrganization,
          options: data.map((each) => [each.id, each.name]) })),
      h(List, { organization, key: organization }))));
};

/** Final ones of all organisations, or those of one with its draft. */
const List = ({ organization }) => {
  const { t, money } = useSpeech();
  const owner = useOwner();
  const period = usePeriod();
  const invoices = useList((after, signal) => owner.invoices({ organization, after, limit: PAGE }, signal), [owner, organization]);
  if (!invoices.rows) return invoices.error ? h(Failure, { error: invoices.error, again: invoices.again }) : h(Waiting);
  if (invoices.rows.length === 0) return h(Empty, { title: t('invoices.none') }, t('invoices.none-hint'));
  return [
    h(Table, {
      key: 'table', label: t('invoices.title'), rows: invoices.rows, keyOf: (invoice) => `${invoice.organization}/${invoice.id}`,
      columns: [
        { title: t('column.invoice'), cell: (invoice) => a({ href: `#/invoices/${invoice.organization}/${invoice.id}` }, invoice.number ?? t('invoice.draft')) },
        { title: t('column.customer'), cell: (invoice) => invoice.organization_name },
        { title: t('column.period'), cell: period },
        { title: t('column.state'), cell: (invoice) => h(StatusBadge, { status: invoice.status }) },
        { title: t('column.total'), end: true, cell: (invoice) => money(invoice.total, invoice.currency) },
      ],
    }),
    invoices.error && h(Failure, { key: 'failure', error: invoices.error, again: invoices.again }),
    invoices.more && div({ class: 'more', key: 'more' },
      button({ type: 'button', onClick: invoices.more, disabled: invoices.busy }, invoices.busy ? t('waiting') : t('usage.more'))),
  ];
};

/** @param address organisation and invoice, since a draft is named by its month alone */
export const Invoice = ({ id: address }) => {
  const { t } = useSpeech();
  const owner = useOwner();
  const [organization, id] = address.split('/');
  const invoice = useLoaded((signal) => owner.invoice(organization, id, signal), [owner, organization, id]);
  return h(Page, {
    title: t('invoice.title'), back: { href: '#/invoices', text: t('invoices.title') },
    actions: invoice.value && h(Actions, { invoice: invoice.value }),
  }, h(Loaded, { from: invoice }, (found) => h(Document, { invoice: found })));
};

const Actions = ({ invoice }) => {
  const { t } = useSpeech();
  const owner = useOwner();
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  // a link cannot carry the key, so the file is fetched with it and then handed over
  const download = async () => {
    setBusy(true);
    setError(null);
    try {
      const address = URL.createObjectURL(await owner.invoicePdf(invoice.organization, invoice.id));
      const link = Object.assign(document.createElement('a'), { href: address, download: `${invoice.number ?? invoice.id}.pdf` });
      link.click();
      // the browser may still be reading it when click() returns
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
    } catch (refusal) {
      setError(refusal);
    }
    setBusy(false);
  };
  return [
    error && h(Failure, { key: 'failure', error }),
    button({ key: 'print', type: 'button', onClick: () => print() }, h(Icon, { name: 'print' }), t('invoice.print')),
    button({ key: 'pdf', type: 'button', class: 'primary', onClick: download, disabled: busy }, h(Icon, { name: 'download' }), t('invoice.pdf')),
  ];
};

const Document = ({ invoice }) => {
  const { t, money, count, code, dayIn } = useSpeech();
  const period = usePeriod();
  const { currency, zone, seller } = invoice;
  return article({ class: 'document', 'aria-label': t('invoice.title') },
    header(
      div(
        p({ class: 'soft small' }, t('invoice.title')),
        p({ class: 'number' }, invoice.number ?? t('invoice.draft'))),
      h(StatusBadge, { status: invoice.status })),
    dl({ class: 'parties' },
      div(dt(t('invoice.from')), dd(
        strong(seller.name),
        seller.address.map((line) => p({ class: 'small soft', key: line }, line)),
        seller.tax_id && p({ class: 'small soft' }, t('invoice.tax-id', { id: seller.tax_id })))),
      div(dt(t('invoice.to')), dd(strong(invoice.organization_name), p({ class: 'small soft mono' }, invoice.organization))),
      div(dt(t('column.period')), dd(period(invoice), p({ class: 'small soft' }, zone))),
      invoice.finalized_at && div(dt(t('invoice.issued')), dd(dayIn(invoice.finalized_at, zone)))),
    invoice.lines.length === 0 ? h(Empty, { title: t('invoice.no-lines') }) : h(Table, {
      label: t('invoice.lines'), rows: invoice.lines, plain: true, keyOf: (line) => line.position,
      columns: [
        { title: t('column.item'), cell: (line) => div(
          strong(line.product),
          p({ class: 'small soft' }, line.meter ? code('meter', line.meter) : t('invoice.fee'), line.kind === 'adjustment' && ` · ${t('invoice.adjustment')}`),
          line.walk.length > 1 && h(Walk, { steps: line.walk, currency })) },
        { title: t('column.quantity'), end: true, cell: (line) => count(line.quantity) },
        { title: t('column.exact'), end: true, cell: (line) => span({ class: 'soft' }, money(line.exact, currency)) },
        { title: t('column.amount'), end: true, cell: (line) => money(line.amount, currency) },
      ],
    }),
    dl({ class: 'sums' },
      dt({ class: 'grand' }, t('column.total')), dd({ class: 'grand' }, money(invoice.total, currency)),
      dt(t('invoice.paid')), dd(money(invoice.paid_from_credit, currency)),
      dt(t('invoice.due')), dd(strong(money(invoice.due, currency)))),
    footer(t('invoice.rounding-rule', { rounding: money(invoice.rounding, currency) })));
};

/** The tiers that a line's quantity went through. */
const Walk = ({ steps, currency }) => {
  const { t, money, count } = useSpeech();
  return ul({ class: 'walk small soft' }, steps.map((step) =>
    li({ key: `${step.tier} ${step.after}` }, t('invoice.walk', { tier: step.tier, quantity: count(step.quantity), rate: money(step.rate, currency), per: count(step.per) }))));
};
