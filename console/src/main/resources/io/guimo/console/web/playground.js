// Try the models as a customer does: each request is metered and priced, on an account of the operator's own.
import { useCallback, useContext, useEffect, useMemo, useRef, useState } from './hooks.js';
import { h, tags } from './tags.js';
import { useSpeech } from './language.js';
import { customerApi, useOwner } from './api.js';
import { useLoaded } from './loading.js';
import { sum } from './format.js';
import { Bars, Card, Choices, Empty, Failure, Loaded, Page, Waiting } from './parts.js';
import { Icon } from './icons.js';
import { Desk, ModelChoice } from './desk.js';
import { Chat } from './chat.js';

const { a, button, div, form, img, input, label, li, ol, p, span, strong } = tags;

const KEY_NAME = 'Console playground';
const FORGOTTEN_AFTER_MILLIS = 3_600_000;

/**
 * A key of the operator's own organisation for one visit: issued with the first request, revoked when the page is left.
 * Keys of visits that ended without a chance to revoke theirs are revoked by the next one.
 */
const visitKey = (owner, operator) => {
  let issued = null;
  const issue = async () => {
    const { data: keys } = await owner.keys(operator);
    const forgotten = keys.filter((key) => key.name === KEY_NAME && !key.revoked_at && Date.parse(key.created_at) < Date.now() - FORGOTTEN_AFTER_MILLIS);
    await Promise.all(forgotten.map((key) => owner.revokeKey(operator, key.id)));
    const { key, secret } = await owner.issueKey(operator, KEY_NAME);
    return { id: key.id, secret };
  };
  return {
    secret: async () => {
      issued ??= issue();
      try {
        return (await issued).secret;
      } catch (error) {
        issued = null;
        throw error;
      }
    },
    /** It is valid no more: the next request gets a new one. */
    drop: () => { issued = null; },
    giveBack: async () => {
      const held = issued;
      issued = null;
      if (!held) return;
      const { id } = await held;
      await owner.revokeKey(operator, id);
    },
  };
};

export const Playground = () => {
  const { t } = useSpeech();
  const owner = useOwner();
  const account = useLoaded(async (signal) => {
    const { data } = await owner.organizations(signal);
    const operator = data.find((each) => each.operator);
    return { operator, subscribed: (await owner.subscriptions(operator.id, signal)).data.length > 0 };
  }, [owner]);
  return h(Page, { title: t('playground.title'), lead: t('playground.lead') },
    h(Loaded, { from: account }, ({ operator, subscribed }) => subscribed
      ? h(Visit, { operator: operator.id })
      : h(FirstVisit, { operator, onSubscribed: account.again })));
};

const CREDIT_LINE = '100';

/** Without a plan nothing has a price, and what has no price is not served. */
const FirstVisit = ({ operator, onSubscribed }) => {
  const { t, money } = useSpeech();
  const owner = useOwner();
  const [state, setState] = useState({});
  const plans = useLoaded((signal) => owner.plans(signal), [owner]);
  const join = async (plan) => {
    setState({ busy: true });
    try {
      await owner.setCreditLine(operator.id, CREDIT_LINE);
      await owner.subscribe(operator.id, plan);
      onSubscribed();
    } catch (error) {
      setState({ error });
    }
  };
  return h(Card, { title: t('playground.no-plan') },
    div({ class: 'stack tight' },
      p(t('playground.no-plan-hint', { name: operator.name, amount: money(CREDIT_LINE, operator.currency) })),
      h(Loaded, { from: plans }, ({ data }) => data.length === 0 ? h(Empty, { title: t('playground.no-plans') })
        : div({ class: 'row' }, data.filter((plan) => plan.currency === operator.currency).map((plan) =>
          button({ type: 'button', class: 'primary', key: plan.name, disabled: state.busy, onClick: () => join(plan.name) },
            t('playground.join', { plan: plan.name }))))),
      state.error && h(Failure, { error: state.error })));
};

/** What one visit asks and spends. */
const Visit = ({ operator }) => {
  const owner = useOwner();
  const [spent, setSpent] = useState([]);
  const models = useLoaded((signal) => owner.models(signal), [owner]);
  const key = useMemo(() => visitKey(owner, operator), [owner, operator]);
  useEffect(() => {
    // a failure to revoke is made good by the next visit
    const leave = () => { key.giveBack().catch(() => {}); };
    addEventListener('pagehide', leave);
    return () => { removeEventListener('pagehide', leave); leave(); };
  }, [key]);

  const desk = useMemo(() => {
    const look = async (request) => {
      try {
        return await request(customerApi(await key.secret()));
      } catch (error) {
        if (error.status === 401) key.drop();
        throw error;
      }
    };
    const receive = async (requestId) => {
      const receipt = await settled(() => owner.receipt(requestId));
      setSpent((before) => [...before, receipt]);
      return receipt;
    };
    const run = async (request) => {
      const { body, requestId } = await look(request);
      await receive(requestId);
      return body;
    };
    return { look, receive, run };
  }, [owner, key]);

  return h(Loaded, { from: models }, ({ data }) => h(Desk.Provider, { value: desk },
    h(Spent, { receipts: spent }),
    h(Games, { models: data })));
};

const SETTLING_TRIES = 20;
const SETTLING_MILLIS = 250;

/** A stream is settled when its last word has been delivered, or its reader is found to have gone: a moment after the answer. */
const settled = async (receipt) => {
  for (let tried = 1; ; tried++) {
    try {
      return await receipt();
    } catch (error) {
      if (error.status !== 404 || tried === SETTLING_TRIES) throw error;
      await new Promise((resolve) => { setTimeout(resolve, SETTLING_MILLIS); });
    }
  }
};

const Spent = ({ receipts }) => {
  const { t, money, counted } = useSpeech();
  const last = receipts.at(-1);
  const byCurrency = [...Map.groupBy(receipts, (receipt) => receipt.currency)];
  return div({ class: 'spent', role: 'status' },
    span(t('playground.spent')),
    strong(byCurrency.length === 0 ? t('playground.spent-nothing')
      : byCurrency.map(([currency, each]) => money(sum(each.map((receipt) => receipt.amount)), currency)).join(' + ')),
    last && span({ class: 'small soft' }, counted('requests', receipts.length)),
    last && a({ class: 'small', href: `#/usage/${last.request_id}` }, t('playground.last-receipt')));
};

const games = [
  { name: 'labels', task: 'classify-images', Game: ({ models }) => h(Labels, { models }) },
  { name: 'together', task: 'recommend-items', Game: ({ models }) => h(Together, { models }) },
  { name: 'search', task: 'embed-text', Game: ({ models }) => h(Search, { models }) },
  { name: 'chat', task: 'generate-text', Game: ({ models }) => h(Chat, { models }) },
];

const Games = ({ models }) => {
  const { t } = useSpeech();
  const playable = games.map((game) => ({ ...game, models: models.filter((model) => model.task === game.task && model.promoted_version !== null) }))
    .filter((game) => game.models.length > 0);
  const [name, setName] = useState(playable[0]?.name);
  if (playable.length === 0) return h(Card, {}, h(Empty, { title: t('playground.none') }, t('models.none-hint')));
  return [
    h(Choices, { key: 'games', label: t('playground.title'), options: playable.map((game) => [game.name, t(`playground.${game.name}`)]), value: name, onChoose: setName }),
    // hidden, not removed: a result stays while one looks at another
    playable.map(({ name: each, Game, models: mine }) => div({ key: each, hidden: each !== name }, h(Game, { models: mine }))),
  ];
};

/** The state of one question: `ask(request)` runs it; only the last answer counts. */
const useAnswer = () => {
  const { run } = useContext(Desk);
  const [state, setState] = useState({});
  const latest = useRef(0);
  const ask = useCallback(async (request) => {
    const mine = ++latest.current;
    setState({ busy: true });
    try {
      const answer = await run(request);
      if (mine === latest.current) setState({ answer });
    } catch (error) {
      if (mine === latest.current) setState({ error });
    }
  }, [run]);
  const clear = useCallback(() => { latest.current++; setState({}); }, []);
  return { ...state, ask, clear };
};

const Outcome = ({ of: { busy, error, answer }, empty, children }) => {
  if (busy) return h(Waiting);
  if (error) return h(Failure, { error });
  return answer ? children(answer) : h(Empty, { title: empty });
};

const SHOWN_LABELS = 6;

const Labels = ({ models }) => {
  const { t, thing } = useSpeech();
  const [model, setModel] = useState(models[0].name);
  const [photo, setPhoto] = useState(null);
  const [over, setOver] = useState(false);
  const asked = useAnswer();
  const { ask } = asked;
  const picture = useMemo(() => photo && URL.createObjectURL(photo), [photo]);
  useEffect(() => () => { if (picture) URL.revokeObjectURL(picture); }, [picture]);

  const look = useCallback((file) => {
    if (!file) return;
    setPhoto(file);
    ask((api) => api.labels(model, file));
  }, [ask, model]);

  useEffect(() => {
    const pasted = (event) => look([...event.clipboardData.files].find((file) => file.type.startsWith('image/')));
    addEventListener('paste', pasted);
    return () => removeEventListener('paste', pasted);
  }, [look]);

  return div({ class: 'columns' },
    h(Card, { title: t('playground.photo'), kind: 'half' },
      h(ModelChoice, { models, value: model, onChoose: setModel }),
      label({
        class: `drop ${over ? 'over' : ''}`,
        onDragOver: (event) => { event.preventDefault(); setOver(true); },
        onDragLeave: () => setOver(false),
        onDrop: (event) => { event.preventDefault(); setOver(false); look(event.dataTransfer.files[0]); },
      },
        picture ? img({ src: picture, alt: t('playground.photo-alt', { name: photo.name }) }) : h(Icon, { name: 'photo' }),
        span(photo ? t('playground.another') : t('playground.drop')),
        span({ class: 'small' }, t('playground.formats')),
        input({ type: 'file', class: 'unseen', accept: 'image/png,image/jpeg,image/webp', onChange: (event) => { look(event.target.files[0]); event.target.value = ''; } }))),
    h(Card, { title: t('playground.answer'), kind: 'half' },
      div({ 'aria-live': 'polite' },
        h(Outcome, { of: asked, empty: t('playground.labels-empty') }, ({ data: [first] }) =>
          h(Bars, { of: first.labels.slice(0, SHOWN_LABELS).map((each) => ({ name: thing(each.label), share: each.probability })) })))));
};

const SUGGESTED = 8;

const Together = ({ models }) => {
  const { t, thing, count, number, locale } = useSpeech();
  const collator = useMemo(() => new Intl.Collator(locale, { numeric: true }), [locale]);
  const desk = useContext(Desk);
  const [model, setModel] = useState(models[0].name);
  const [basket, setBasket] = useState([]);
  const [sieve, setSieve] = useState('');
  const items = useLoaded(async (signal) => (await desk.look((api) => api.model(model, signal))).items, [desk, model]);
  const asked = useAnswer();
  const { ask, clear } = asked;

  const put = (item) => {
    const next = basket.includes(item) ? basket.filter((each) => each !== item) : [...basket, item];
    setBasket(next);
    if (next.length) ask((api) => api.recommendations(model, next, SUGGESTED));
    else clear();
  };
  // names that are mere numbers, such as department7, tell little: they go last
  const isNumbered = (item) => /\d$/.test(item);
  const byName = (one, other) => isNumbered(one) - isNumbered(other) || collator.compare(thing(one), thing(other));
  const matches = (item) => `${item} ${thing(item)}`.toLowerCase().includes(sieve.trim().toLowerCase());

  return div({ class: 'columns' },
    h(Card, { title: t('playground.basket'), hint: t('playground.basket-count', { count: count(basket.length) }), kind: 'half' },
      div({ class: 'stack tight' },
        h(ModelChoice, { models, value: model, onChoose: setModel }),
        div({ class: 'field' },
          label({ for: 'item-sieve' }, t('playground.sieve')),
          input({ id: 'item-sieve', type: 'search', value: sieve, autocomplete: 'off', onInput: (event) => setSieve(event.target.value) })),
        h(Loaded, { from: items }, (all) => {
          const shown = all.filter((item) => basket.includes(item) || matches(item)).sort(byName);
          return shown.length === 0 ? h(Empty, { title: t('playground.no-item') })
            : div({ class: 'chips shelf', role: 'group', 'aria-label': t('playground.basket') }, shown.map((item) =>
              button({ type: 'button', key: item, 'aria-pressed': String(basket.includes(item)), onClick: () => put(item) }, thing(item))));
        }))),
    h(Card, { title: t('playground.together'), kind: 'half' },
      div({ 'aria-live': 'polite' },
        h(Outcome, { of: asked, empty: t('playground.together-empty') }, ({ data }) => ol({ class: 'found' }, data.map((each) =>
          li({ key: each.item },
            button({ type: 'button', class: 'quiet found-name', onClick: () => put(each.item), title: t('playground.add') }, thing(each.item)),
            span({ class: 'soft small' }, t('playground.score', { score: number(each.score, 3) })))))))));
};

const FOUND = 5;

const collections = ['items', 'poems'];

const Search = () => {
  const { t, language, thing, fixed } = useSpeech();
  const [collection, setCollection] = useState(language === 'zh' ? 'poems' : 'items');
  const [text, setText] = useState('');
  const asked = useAnswer();
  const { ask, clear } = asked;
  const look = (event) => {
    event.preventDefault();
    if (text.trim()) ask((api) => api.search(collection, text.trim(), FOUND));
  };
  return h(Card, { title: t('playground.search') },
    div({ class: 'stack tight' },
      h(Choices, { label: t('playground.where'), value: collection, options: collections.map((each) => [each, t(`playground.${each}`)]),
        onChoose: (chosen) => { setCollection(chosen); clear(); } }),
      form({ onSubmit: look, role: 'search' },
        div({ class: 'field' },
          label({ for: 'search-text' }, t(`playground.ask-${collection}`)),
          div({ class: 'search' },
            input({ id: 'search-text', type: 'search', value: text, placeholder: t(`playground.example-${collection}`), maxlength: 500, autocomplete: 'off',
              onInput: (event) => setText(event.target.value) }),
            button({ type: 'submit', class: 'primary', disabled: asked.busy || !text.trim() }, h(Icon, { name: 'search' }), t('playground.find'))))),
      div({ 'aria-live': 'polite' },
        h(Outcome, { of: asked, empty: t('playground.search-empty') }, ({ data }) => ol({ class: 'found' }, data.map((each) =>
          li({ key: each.text },
            span(collection === 'poems' ? { class: 'poem', lang: 'zh-CN' } : {}, collection === 'items' ? thing(each.text) : each.text),
            span({ class: 'soft small' }, t('playground.nearness', { score: fixed(each.score, 2) }))))))))); 
};
