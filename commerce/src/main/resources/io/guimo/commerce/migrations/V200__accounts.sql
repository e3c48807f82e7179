-- Who: organisations, projects, keys. Changed rarely and read with every request, so every server keeps them in memory and follows the
-- column "change" (ChangeFeed).

create sequence directory_change;

-- Commands that were done, by their callers' keys.
create table command (
    scope          text        not null,
    key            text        not null,
    content_sha256 bytea       not null check (length(content_sha256) = 32),
    answer         text,
    recorded_at    timestamptz not null default clock_timestamp(),
    primary key (scope, key)
);

create table organization (
    id                text        primary key,
    name              text        not null,
    sandbox           boolean     not null,
    operator          boolean     not null,
    zone              text        not null,
    currency          char(3)     not null,
    -- how far its clock runs ahead of the world's
    clock_ahead_nanos bigint      not null default 0 check (clock_ahead_nanos >= 0 and (sandbox or clock_ahead_nanos = 0)),
    created_at        timestamptz not null,
    change            bigint      not null default nextval('directory_change') unique
);
create unique index organization_one_operator on organization (operator) where operator;

create table project (
    id              text        primary key,
    organization_id text        not null references organization,
    name            text        not null,
    created_at      timestamptz not null,
    -- a key names both; the pair must exist
    unique (organization_id, id)
);

create table api_key (
    id              text        primary key,
    organization_id text        not null references organization,
    project_id      text        not null,
    role            text        not null check (role in ('CUSTOMER', 'OWNER')),
    name            text        not null,
    secret_sha256   bytea       not null unique check (length(secret_sha256) = 32),
    -- the last characters of the secret, by which people tell keys apart
    hint            text        not null,
    created_at      timestamptz not null,
    revoked_at      timestamptz,
    -- in the world's time, written a while after the use
    last_used_at    timestamptz,
    change          bigint      not null default nextval('directory_change') unique,
    foreign key (organization_id, project_id) references project (organization_id, id)
);
create index api_key_by_organization on api_key (organization_id, id);
