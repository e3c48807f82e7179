// Which language the page speaks: the one chosen before, else the browser's, else English.
import { createContext } from './preact.js';
import { useContext } from './hooks.js';
import { formats } from './format.js';
import { languages, things, words } from './words.js';

const STORED_UNDER = 'guimo.language';

export const firstLanguage = () => {
  const chosen = localStorage.getItem(STORED_UNDER);
  if (chosen in languages) return chosen;
  const preferred = navigator.languages.map((tag) => tag.split('-')[0]).find((tag) => tag in languages);
  return preferred ?? 'en';
};

export const keepLanguage = (language) => localStorage.setItem(STORED_UNDER, language);

/** Words and formats of one language: `t(key, values)` and those of format.js. */
export const speech = (language) => {
  const { locale, column } = languages[language];
  const t = (key, values = {}) => {
    const entry = words[key];
    if (!entry) throw new Error(`no words for ${key}`);
    return entry[column].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  };
  /** Words for a code of the server that may be newer than this page: the code itself where there are none. */
  const code = (family, name) => words[`${family}.${name}`]?.[column] ?? name;
  const format = formats(locale);
  const plural = new Intl.PluralRules(locale);
  /** A quantity of a meter: “1 image”, “3 images”; where a language has two forms, an entry holds both. */
  const counted = (meter, quantity) => {
    const forms = (words[`counted.${meter}`]?.[column] ?? `{count} ${meter}`).split('|');
    const form = plural.select(quantity) === 'one' ? forms[0] : forms.at(-1);
    return form.replace('{count}', format.count(quantity));
  };
  return {
    language,
    t,
    code,
    counted,
    /** A thing that the data names in English, such as a shop's item, in the reader's language where it is known. */
    thing: (name) => (language === 'zh' && things[name]) || name,
    ...format,
  };
};

export const Speech = createContext(speech('en'));

export const useSpeech = () => useContext(Speech);
