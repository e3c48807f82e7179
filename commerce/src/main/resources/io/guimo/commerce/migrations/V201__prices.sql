-- What it costs: plans, the prices on them, and who is on which plan. Rows are only ever added (PriceBook).

-- The fee of a plan from an instant on.
create table plan_version (
    name       text           not null,
    currency   char(3)        not null,
    fee        numeric(30,12) not null check (fee >= 0),
    valid_from timestamptz    not null,
    change     bigint         not null default nextval('directory_change') unique,
    primary key (name, valid_from)
);

-- The price of a product on a plan from an instant on; no meter in its terms: no longer sold.
create table price_version (
    id          text        primary key,
    plan        text        not null,
    product     text        not null,
    currency    char(3)     not null,
    terms       jsonb       not null,
    valid_from  timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    change      bigint      not null default nextval('directory_change') unique,
    unique (plan, product, valid_from)
);

create table subscription (
    id              text        primary key,
    organization_id text        not null references organization,
    plan            text        not null,
    -- by the organisation's clock; it holds until the next one starts
    starts_at       timestamptz not null,
    change          bigint      not null default nextval('directory_change') unique,
    unique (organization_id, starts_at)
);
