-- Final invoices. A draft is drawn up from usage when somebody asks for it and is not stored.

-- The last number of each series. Whoever makes an invoice final locks this table first, so that numbers have no gaps: a transaction that
-- is rolled back leaves the number for the next one.
create table invoice_counter (
    -- sandbox invoices are not documents of the real business and must not use up its numbers
    series text   primary key check (series in ('real', 'sandbox')),
    last   bigint not null
);
insert into invoice_counter values ('real', 0), ('sandbox', 0);

create table invoice (
    id              text        primary key,
    organization_id text        not null references organization,
    period_start    timestamptz not null,
    series          text        not null,
    sequence        bigint      not null,
    number          text        not null unique,
    -- by the organisation's clock
    finalized_at    timestamptz not null,
    recorded_at     timestamptz not null default clock_timestamp(),
    -- everything that was agreed and used, as it was then (InvoiceJson)
    document        text        not null,
    unique (organization_id, period_start),
    unique (series, sequence)
);
create index invoice_by_organization on invoice (organization_id, id);

-- What was invoiced, to know what was not yet: a counter's usage is invoiced from its beginning up to the sum of its quantities here.
create table invoice_line (
    invoice_id      text           not null references invoice,
    position        integer        not null,
    organization_id text           not null,
    kind            text           not null check (kind in ('USAGE', 'ADJUSTMENT', 'FEE')),
    -- the month of the usage
    period_start    timestamptz    not null,
    product         text           not null,
    meter           text           check ((meter is null) = (kind = 'FEE')),
    price_version   text,
    quantity        bigint         not null,
    exact           numeric(30,12) not null,
    amount          numeric(30,12) not null,
    primary key (invoice_id, position)
);
create index invoice_line_by_usage on invoice_line (organization_id, period_start, product, meter);
