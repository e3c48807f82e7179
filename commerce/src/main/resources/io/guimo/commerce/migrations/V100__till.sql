-- What was used and who paid: wallets, reservations, usage, postings (packages ledger and meter, class Till).
-- An amount has 12 decimal places. No statement on money asks for the time: instants come from the organisation's clock. Leases alone use real time.

create type ledger_account as enum
    ('cash', 'receivable', 'unbilled', 'customer_credit', 'revenue', 'tax', 'rounding', 'write_off', 'cost');

-- Ids of events and entries, and of counters. A lane takes a block at a time: ids rise with time on one lane, not across lanes.
create sequence till_id increment by 1000;

-- One row for each organisation with money or usage: the lock of everything of that organisation below, down to its request keys. Whoever
-- changes any of it locks this row first (several: ordered by id) and raises the version, by which a lane sees that what it has in memory
-- still holds.
create table wallet (
    id              bigint generated always as identity primary key,
    organization_id text   not null unique,
    version         bigint not null default 0
) with (fillfactor = 50);

create table wallet_grant (
    id         bigint generated always as identity primary key,
    wallet_id  bigint         not null references wallet,
    kind       text           not null check (kind in ('cash', 'promotion', 'credit_line')),
    -- lower ones are spent first, then those that expire sooner
    priority   smallint       not null,
    currency   char(3)        not null,
    granted    numeric(30,12) not null check (granted >= 0),
    remaining  numeric(30,12) not null,
    reserved   numeric(30,12) not null default 0 check (reserved >= 0),
    -- of a credit line: used beyond a limit that was lowered meanwhile; paid back before anything is lent again
    over_limit numeric(30,12) not null default 0 check (over_limit >= 0),
    granted_at timestamptz    not null,
    expires_at timestamptz,
    -- no race and no crash overdraws a wallet
    check (remaining >= reserved)
) with (fillfactor = 50);
create index wallet_grant_by_wallet on wallet_grant (wallet_id);
create unique index wallet_grant_one_credit_line on wallet_grant (wallet_id) where kind = 'credit_line';

-- Units of a product's meter used in a period, and units that open reservations may still add, by the price that they are pinned to.
create table usage_counter (
    id              bigint      primary key,
    wallet_id       bigint      not null,
    product         text        not null,
    meter           text        not null,
    period_start    timestamptz not null,
    used            bigint      not null check (used >= 0),
    open_prices     text[]      not null,
    open_quantities bigint[]    not null,
    unique (wallet_id, product, meter, period_start)
) with (fillfactor = 50);

-- A server that is alive renews its lease; the money that a dead one held is given back.
create table lease (
    id         bigint generated always as identity primary key,
    server     text        not null,
    renewed_at timestamptz not null
);

create table reservation (
    wallet_id       bigint      not null,
    request_id      text        not null,
    -- not a reference: a lease is gone before its reservations are
    lease_id        bigint      not null,
    project_id      text        not null,
    key_id          text        not null,
    price_version   text        not null,
    period_start    timestamptz not null,
    period_end      timestamptz not null,
    used_at         timestamptz not null,
    meters          text[]      not null,
    at_most         bigint[]    not null,
    -- what a stream has delivered so far; empty: nothing
    delivered       bigint[]    not null default '{}',
    -- the grants from which its money was taken, and how much of each
    hold_grants     bigint[]    not null,
    hold_amounts    numeric(30,12)[] not null,
    route           text,
    idempotency_key text,
    primary key (wallet_id, request_id)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0,
        autovacuum_analyze_threshold = 20000);

-- One event a request, with a line for each meter in the arrays (the view usage_line). Never changed.
create table usage_event (
    id              bigint           not null,
    organization_id text             not null,
    project_id      text             not null,
    key_id          text             not null,
    request_id      text             not null,
    product         text             not null,
    price_version   text             not null,
    period_start    timestamptz      not null,
    used_at         timestamptz      not null,
    -- in the world's time; it names the partition
    recorded_at     timestamptz      not null,
    currency        char(3)          not null,
    amount          numeric(30,12)   not null,
    -- the part of the amount that the wallet could not pay for something already delivered
    written_off     numeric(30,12)   not null check (written_off >= 0),
    -- whether the request broke off before its end
    broken_off      boolean          not null,
    meters          text[]           not null,
    befores         bigint[]         not null,
    quantities      bigint[]         not null,
    amounts         numeric(30,12)[] not null,
    primary key (id, recorded_at)
) partition by range (recorded_at);
create index usage_event_by_organization on usage_event (organization_id, id);
create table usage_event_other partition of usage_event default;

create view usage_line as
select e.id, e.organization_id, e.project_id, e.key_id, e.request_id, e.product, e.price_version, e.period_start, e.used_at, e.recorded_at,
       e.currency, line.ordinal, line.meter, line.before, line.quantity, line.amount
from usage_event e
cross join lateral unnest(e.meters, e.befores, e.quantities, e.amounts) with ordinality as line (meter, before, quantity, amount, ordinal);

-- A request is counted once: its key, and where its event lies. Rows leave it after the horizon that the till is opened with.
create table usage_request (
    wallet_id   bigint      not null,
    request_id  text        not null,
    event_id    bigint      not null,
    recorded_at timestamptz not null,
    primary key (wallet_id, request_id)
);

-- Entries other than usage; the entry of a usage event has the event's id.
create table ledger_entry (
    id              bigint      primary key,
    organization_id text        not null,
    kind            text        not null,
    -- what it is about, such as an invoice's number or a request's id
    reference       text        not null,
    -- the entry that it corrects
    corrects        bigint,
    booked_at       timestamptz not null
);
create index ledger_entry_by_organization on ledger_entry (organization_id, id);

-- A debit is positive, a credit negative; the postings of an entry sum to zero.
create table posting (
    entry_id        bigint         not null,
    line            smallint       not null,
    organization_id text           not null,
    account         ledger_account not null,
    amount          numeric(30,12) not null check (amount <> 0),
    currency        char(3)        not null,
    -- by the organisation's clock
    booked_at       timestamptz    not null,
    primary key (entry_id, line)
);

-- Idempotency-Key of metered requests.
create table request_key (
    organization_id text        not null,
    route           text        not null,
    key             text        not null,
    content_sha256  text        not null,
    state           text        not null check (state in ('running', 'completed', 'aborted')),
    request_id      text        not null,
    status          integer,
    content_type    text,
    answer          bytea,
    created_at      timestamptz not null,
    primary key (organization_id, route, key)
);
create index usage_request_by_age on usage_request using brin (recorded_at);
create index request_key_by_age on request_key (created_at);

create function instant_of(micros bigint) returns timestamptz language sql immutable parallel safe
    return timestamptz 'epoch' + micros * interval '1 microsecond';

-- A batch of a lane is one transaction: till_begin, then the parts that it needs. Arrays are columns, their elements rows. An array within a
-- row travels as its text, since SQL's unnest would flatten it. (A loop over single rows for small batches was measured and won nothing
-- once the statements kept their plans: docs/log.md.)

-- Locks the wallets in the order of their ids and raises their versions; GM001 if one is not at the version that the lane has in memory.
create function till_begin(wallets bigint[], versions bigint[], durable boolean) returns void language plpgsql as $$
declare
    unchanged integer;
begin
    if durable then perform set_config('synchronous_commit', 'on', true); end if;
    if cardinality(wallets) > 1 then -- a single row is locked by its update
        perform 1 from wallet where id = any (wallets) order by id for no key update;
    end if;
    update wallet w set version = w.version + 1
    from unnest(wallets, versions) as expected (id, version)
    where w.id = expected.id and w.version = expected.version;
    get diagnostics unchanged = row_count;
    if unchanged <> cardinality(wallets) then raise exception 'a wallet changed meanwhile' using errcode = 'GM001'; end if;
end $$;

-- The same check for a batch that changes nothing.
create function till_check(wallets bigint[], versions bigint[]) returns void language plpgsql as $$
begin
    if exists (select from unnest(wallets, versions) as expected (id, version) join wallet w using (id)
               where w.version <> expected.version) then
        raise exception 'a wallet changed meanwhile' using errcode = 'GM001';
    end if;
end $$;

create function till_grants(ids bigint[], remainings numeric[], reserveds numeric[]) returns void language plpgsql as $$
begin
    update wallet_grant g set remaining = now.remaining, reserved = now.reserved
    from unnest(ids, remainings, reserveds) as now (id, remaining, reserved) where g.id = now.id;
end $$;

create function till_counters(ids bigint[], useds bigint[], all_prices text[], all_quantities text[]) returns void language plpgsql as $$
begin
    update usage_counter c
    set used = now.used, open_prices = now.open_prices::text[], open_quantities = now.open_quantities::bigint[]
    from unnest(ids, useds, all_prices, all_quantities) as now (id, used, open_prices, open_quantities) where c.id = now.id;
end $$;

create function till_new_counters(ids bigint[], wallets bigint[], products text[], meters text[], period_starts bigint[],
    useds bigint[], all_prices text[], all_quantities text[]) returns void language plpgsql as $$
begin
    insert into usage_counter (id, wallet_id, product, meter, period_start, used, open_prices, open_quantities)
    select id, wallet, product, meter, instant_of(period_start), u, prices::text[], quantities::bigint[]
    from unnest(ids, wallets, products, meters, period_starts, useds, all_prices, all_quantities)
        as new (id, wallet, product, meter, period_start, u, prices, quantities);
end $$;

create function till_reserve(lease bigint, wallets bigint[], requests text[], projects text[], keys text[], prices text[],
    period_starts bigint[], period_ends bigint[], used_ats bigint[], meters text[], at_mosts text[], hold_grants text[], hold_amounts text[],
    routes text[], idempotency_keys text[]) returns void language plpgsql as $$
begin
    insert into reservation (wallet_id, request_id, lease_id, project_id, key_id, price_version, period_start, period_end, used_at, meters,
        at_most, hold_grants, hold_amounts, route, idempotency_key)
    select wallet, request, lease, project, key, price, instant_of(period_start), instant_of(period_end), instant_of(used_at), m::text[],
        at_most::bigint[], grants::bigint[], amounts::numeric[], route, idempotency_key
    from unnest(wallets, requests, projects, keys, prices, period_starts, period_ends, used_ats, meters, at_mosts, hold_grants,
            hold_amounts, routes, idempotency_keys)
        as new (wallet, request, project, key, price, period_start, period_end, used_at, m, at_most, grants, amounts, route,
            idempotency_key);
end $$;

create function till_extend(wallets bigint[], requests text[], at_mosts text[], delivereds text[], all_grants text[], all_amounts text[])
    returns void language plpgsql as $$
begin
    update reservation r
    set at_most = now.at_most::bigint[], delivered = now.delivered::bigint[], hold_grants = now.grants::bigint[],
        hold_amounts = now.amounts::numeric[]
    from unnest(wallets, requests, at_mosts, delivereds, all_grants, all_amounts)
        as now (wallet, request, at_most, delivered, grants, amounts)
    where r.wallet_id = now.wallet and r.request_id = now.request;
end $$;

create function till_release(wallets bigint[], requests text[]) returns void language plpgsql as $$
begin
    delete from reservation r using unnest(wallets, requests) as gone (wallet, request)
    where r.wallet_id = gone.wallet and r.request_id = gone.request;
end $$;

-- Events with their entries: what the wallet paid from credit bought before, from the credit line, and what was written off, against revenue.
create function till_settle(recorded_at bigint, ids bigint[], wallets bigint[], organizations text[], projects text[], keys text[],
    requests text[], products text[], prices text[], period_starts bigint[], used_ats bigint[], currencies text[], amounts numeric[],
    from_credit numeric[], from_line numeric[], written_off numeric[], broken_off boolean[], meters text[], befores text[],
    quantities text[], line_amounts text[]) returns void language plpgsql as $$
begin
    insert into usage_event (id, organization_id, project_id, key_id, request_id, product, price_version, period_start, used_at, recorded_at,
        currency, amount, written_off, broken_off, meters, befores, quantities, amounts)
    select id, organization, project, key, request, product, price, instant_of(period_start), instant_of(used_at),
        instant_of(till_settle.recorded_at), currency, amount, off, broken, m::text[], b::bigint[], q::bigint[], a::numeric[]
    from unnest(ids, organizations, projects, keys, requests, products, prices, period_starts, used_ats, currencies, amounts, written_off,
            broken_off, meters, befores, quantities, line_amounts)
        as new (id, organization, project, key, request, product, price, period_start, used_at, currency, amount, off, broken, m, b, q, a);

    insert into usage_request (wallet_id, request_id, event_id, recorded_at)
    select wallet, request, id, instant_of(till_settle.recorded_at) from unnest(wallets, requests, ids) as new (wallet, request, id);

    insert into posting (entry_id, line, organization_id, account, amount, currency, booked_at)
    select id, line, organization, account, side, currency, instant_of(used_at)
    from unnest(ids, organizations, currencies, used_ats, amounts, from_credit, from_line, written_off)
        as new (id, organization, currency, used_at, amount, credit, credit_line, off)
    cross join lateral (values
        (1::smallint, 'customer_credit'::ledger_account, credit),
        (2::smallint, 'unbilled'::ledger_account, credit_line),
        (3::smallint, 'write_off'::ledger_account, off),
        (4::smallint, 'revenue'::ledger_account, -amount)) as k (line, account, side)
    where side <> 0;
end $$;

-- Keys of new requests. A key that exists is for the lane to look at: unique violation.
create function till_new_keys(created_at bigint, organizations text[], routes text[], keys text[], digests text[], requests text[])
    returns void language plpgsql as $$
begin
    insert into request_key (organization_id, route, key, content_sha256, state, request_id, created_at)
    select organization, route, key, digest, 'running', request, instant_of(till_new_keys.created_at)
    from unnest(organizations, routes, keys, digests, requests) as new (organization, route, key, digest, request);
end $$;

-- Keys of requests that ended; state null: the key is free again.
create function till_end_keys(organizations text[], routes text[], keys text[], states text[], statuses integer[], content_types text[],
    answers bytea[]) returns void language plpgsql as $$
begin
    update request_key k
    set state = ended.state, status = ended.status, content_type = ended.content_type, answer = ended.answer
    from unnest(organizations, routes, keys, states, statuses, content_types, answers)
        as ended (organization, route, key, state, status, content_type, answer)
    where k.organization_id = ended.organization and k.route = ended.route and k.key = ended.key and ended.state is not null;
    delete from request_key k
    using unnest(organizations, routes, keys, states) as ended (organization, route, key, state)
    where k.organization_id = ended.organization and k.route = ended.route and k.key = ended.key and ended.state is null;
end $$;
