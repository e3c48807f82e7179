// The frame: who is logged in, which language, which page.
import { render } from './preact.js';
import { useEffect, useMemo, useRef, useState } from './hooks.js';
import { h, tags } from './tags.js';
import { Speech, firstLanguage, keepLanguage, speech } from './language.js';
import { Owner, ownerApi } from './api.js';
import { forgetKey, keepKey, storedKey } from './session.js';
import { Icon, Mark } from './icons.js';
import { Door } from './door.js';
import { Overview } from './overview.js';
import { Model, Models } from './models.js';
import { Playground } from './playground.js';
import { Receipt, Usage } from './usage.js';
import { Invoice, Invoices } from './invoices.js';
import { Economics } from './economics.js';

const { a, button, div, main, nav, span } = tags;

/** Pages by the first part of the address after #; the second part opens one thing of it. */
const pages = {
  overview: { all: Overview },
  models: { all: Models, one: Model },
  playground: { all: Playground },
  usage: { all: Usage, one: Receipt },
  invoices: { all: Invoices, one: Invoice },
  economics: { all: Economics },
};

const address = () => {
  const [name, ...rest] = location.hash.replace(/^#\/?/, '').split('/');
  return { name: name in pages ? name : 'overview', id: decodeURIComponent(rest.join('/')) };
};

const useAddress = () => {
  const [current, setCurrent] = useState(address);
  useEffect(() => {
    const moved = () => setCurrent(address());
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  return current;
};

const LanguageSwitch = ({ words, onSwitch }) => {
  const other = words.language === 'zh' ? 'en' : 'zh';
  return button({ type: 'button', class: 'quiet', onClick: () => onSwitch(other), lang: other === 'zh' ? 'zh-CN' : 'en' },
    h(Icon, { name: 'language' }), words.t('language.other'));
};

const Frame = ({ words, current, onLeave, languageSwitch, children }) => {
  const { t } = words;
  const bar = useRef(null);
  // on a phone the navigation scrolls sideways
  useEffect(() => bar.current.querySelector('[aria-current]').scrollIntoView({ block: 'nearest', inline: 'center' }), [current.name]);
  return div({ class: 'frame' },
    div({ class: 'side' }, div({ class: 'side-inner' },
      a({ class: 'brand', href: '#/overview' }, h(Mark), span(t('brand'))),
      nav({ class: 'nav', ref: bar, 'aria-label': t('nav') }, Object.keys(pages).map((name) =>
        a({ key: name, href: `#/${name}`, 'aria-current': name === current.name ? 'page' : undefined },
          h(Icon, { name }), t(`${name}.title`)))),
      div({ class: 'side-end' },
        languageSwitch,
        button({ type: 'button', class: 'quiet', onClick: onLeave }, h(Icon, { name: 'leave' }), t('leave'))))),
    main(children));
};

const App = () => {
  const [language, setLanguage] = useState(firstLanguage);
  const [key, setKey] = useState(storedKey);
  const [expired, setExpired] = useState(false);
  const current = useAddress();
  const words = useMemo(() => speech(language), [language]);
  const leave = (becauseRefused) => { forgetKey(); setKey(null); setExpired(becauseRefused); };
  const api = useMemo(() => key && ownerApi(key, () => leave(true)), [key]);
  useEffect(() => { document.documentElement.lang = words.locale; }, [words]);

  const languageSwitch = h(LanguageSwitch, { words, onSwitch: (chosen) => { keepLanguage(chosen); setLanguage(chosen); } });
  const { all, one } = pages[current.name];
  const page = current.id && one ? h(one, { id: current.id, key: `${current.name}/${current.id}` }) : h(all, { key: current.name });
  return h(Speech.Provider, { value: words }, key
    ? h(Owner.Provider, { value: api },
      h(Frame, { words, current, onLeave: () => leave(false), languageSwitch }, page))
    : h(Door, { expired, languageSwitch, onEnter: (entered) => { keepKey(entered); setExpired(false); setKey(entered); } }));
};

render(h(App), document.getElementById('app'));
