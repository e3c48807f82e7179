-- A span of time of one server: what its processes used of the processor.
create table cost_window (
    id             bigint generated always as identity primary key,
    started_at     timestamptz not null,
    ended_at       timestamptz not null check (ended_at > started_at),
    cores          integer     not null check (cores > 0),
    server_nanos   bigint      not null check (server_nanos >= 0),
    database_nanos bigint      not null check (database_nanos >= 0)
);
create index cost_window_started_at on cost_window (started_at);

-- What a product's engine used of it; one row a meter, the engine's own figures in its first row.
create table cost_share (
    window_id  bigint not null references cost_window (id) on delete cascade,
    product    text   not null,
    meter      text   not null,
    units      bigint not null check (units >= 0),
    requests   bigint not null check (requests >= 0),
    cpu_nanos  bigint not null check (cpu_nanos >= 0),
    busy_nanos bigint not null check (busy_nanos >= 0),
    primary key (window_id, product, meter)
);
