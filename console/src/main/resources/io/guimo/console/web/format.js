// Numbers, money and times for people, by the browser's own rules for a language. Money stays a decimal string from the wire to the page:
// it passes through BigInt at most, never through a floating-point number.

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;
const PLACES = 12;

/** `1234.5000` as a count of 10⁻¹² units. */
const scaled = (decimal) => {
  const parts = DECIMAL.exec(decimal);
  if (!parts) throw new Error(`not a decimal: ${decimal}`);
  const [, sign, whole, fraction = ''] = parts;
  if (fraction.length > PLACES) throw new Error(`more than ${PLACES} decimal places: ${decimal}`);
  const units = BigInt(whole + fraction.padEnd(PLACES, '0'));
  return sign ? -units : units;
};

const unscaled = (units) => {
  const digits = (units < 0n ? -units : units).toString().padStart(PLACES + 1, '0');
  const fraction = digits.slice(-PLACES).replace(/0+$/, '');
  return (units < 0n ? '-' : '') + digits.slice(0, -PLACES) + (fraction ? `.${fraction}` : '');
};

/** The exact sum of decimal strings. */
export const sum = (decimals) => unscaled(decimals.reduce((total, each) => total + scaled(each), 0n));

/** For the height of a bar in a plot only; what is written beside it comes from the string. */
export const approximate = (decimal) => Number(decimal);

/** All formats of one language; `locale` is a BCP 47 tag. */
export const formats = (locale) => {
  const cached = new Map();
  const numberFormat = (options) => {
    const key = JSON.stringify(options);
    if (!cached.has(key)) cached.set(key, new Intl.NumberFormat(locale, options));
    return cached.get(key);
  };
  const dateFormat = (options) => new Intl.DateTimeFormat(locale, options);
  const dayOnly = dateFormat({ dateStyle: 'medium', timeZone: 'UTC' });
  const dayOfYear = dateFormat({ month: 'short', day: 'numeric', timeZone: 'UTC' });
  const moment = dateFormat({ dateStyle: 'medium', timeStyle: 'medium' });

  const exact = (decimal, options) => {
    const [, sign, whole, fraction = ''] = DECIMAL.exec(unscaled(scaled(decimal)));
    const places = fraction.padEnd(numberFormat(options).resolvedOptions().minimumFractionDigits, '0');
    const format = numberFormat({ ...options, minimumFractionDigits: places.length, maximumFractionDigits: places.length });
    // the language lays out the whole part (-0 keeps the sign of -0.5); the fraction's digits are ours
    const laidOut = sign ? (whole === '0' ? -0 : -BigInt(whole)) : BigInt(whole);
    return format.formatToParts(laidOut).map((part) => part.type === 'fraction' ? places : part.value).join('');
  };

  return {
    locale,
    /** An exact amount, all its digits: `money('0.002', 'CNY')` is ¥0.002. */
    money: (decimal, currency) => exact(decimal, { style: 'currency', currency, currencyDisplay: 'narrowSymbol' }),
    /** A measured amount of which a few digits tell all: three significant ones. */
    measuredMoney: (decimal, currency) => numberFormat({
      style: 'currency', currency, currencyDisplay: 'narrowSymbol', maximumSignificantDigits: 3,
    }).format(approximate(decimal)),
    /** An exact decimal without a currency. */
    decimal: (decimal) => exact(decimal, { minimumFractionDigits: 0 }),
    count: (value) => numberFormat({ maximumFractionDigits: 0 }).format(value),
    compact: (value) => numberFormat({ notation: 'compact', maximumFractionDigits: 1 }).format(value),
    number: (value, places = 3) => numberFormat({ maximumFractionDigits: places }).format(value),
    fixed: (value, places) => numberFormat({ minimumFractionDigits: places, maximumFractionDigits: places }).format(value),
    percent: (value, places = 1) => numberFormat({
      style: 'percent', minimumFractionDigits: places, maximumFractionDigits: places,
    }).format(value),
    seconds: (value) => numberFormat({ style: 'unit', unit: 'second', unitDisplay: 'short', maximumFractionDigits: value < 10 ? 2 : 0 }).format(value),
    bytes: (value) => {
      const steps = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
      const step = Math.min(steps.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
      return numberFormat({ style: 'unit', unit: steps[step], unitDisplay: 'short', maximumFractionDigits: 1 }).format(value / 1000 ** step);
    },
    /** A calendar day written `2026-11-22`, the same everywhere. */
    day: (isoDay) => dayOnly.format(new Date(`${isoDay}T00:00:00Z`)),
    /** The same where the year is plain, such as below a bar. */
    shortDay: (isoDay) => dayOfYear.format(new Date(`${isoDay}T00:00:00Z`)),
    /** An instant, in the reader's zone. */
    moment: (isoInstant) => moment.format(new Date(isoInstant)),
    /** An instant in a stated zone, such as an invoice's. */
    dayIn: (isoInstant, timeZone) => dateFormat({ dateStyle: 'medium', timeZone }).format(new Date(isoInstant)),
    list: (items) => new Intl.ListFormat(locale, { type: 'conjunction', style: 'narrow' }).format(items),
  };
};
