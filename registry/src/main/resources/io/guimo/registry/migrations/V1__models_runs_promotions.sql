-- The index of models. An owner is '' for the operator, else an organisation's id; every query of a caller filters by it.

create table models (
    owner            text        not null,
    name             text        not null,
    task             text        not null,
    promoted_version integer,
    created_at       timestamptz not null,
    primary key (owner, name)
);

create table runs (
    id                text             primary key,
    owner             text             not null,
    model             text             not null,
    task              text             not null,
    configuration     jsonb            not null,
    data_fingerprints jsonb            not null,
    code_version      text             not null,
    environment       jsonb            not null,
    curve             jsonb            not null,
    evaluation        jsonb            not null,
    seconds           double precision not null,
    cpu_seconds       double precision not null,
    peak_memory_bytes bigint           not null,
    cost              numeric(30, 12),
    currency          char(3),
    started_at        timestamptz      not null,
    finished_at       timestamptz      not null,
    check ((cost is null) = (currency is null))
);

create index runs_by_model on runs (owner, model, finished_at);

create table model_versions (
    owner          text        not null,
    model          text        not null,
    version        integer     not null check (version > 0),
    package_digest char(64)    not null,
    -- The manifest as it was signed, to be asked without opening the package.
    manifest       jsonb       not null,
    -- No reference to runs: a package made elsewhere brings the id of a run that this database never saw.
    run_id         text,
    registered_at  timestamptz not null,
    primary key (owner, model, version),
    unique (owner, model, package_digest),
    foreign key (owner, model) references models (owner, name)
);

create index model_versions_by_run on model_versions (run_id);
create index model_versions_by_base on model_versions ((manifest ->> 'baseModelDigest'));

alter table models
    add foreign key (owner, name, promoted_version) references model_versions (owner, model, version);

create table promotions (
    id               bigint generated always as identity primary key,
    owner            text        not null,
    model            text        not null,
    version          integer     not null,
    previous_version integer,
    gate             jsonb,
    forced_by        text,
    forced_why       text,
    promoted_at      timestamptz not null,
    foreign key (owner, model, version) references model_versions (owner, model, version),
    check ((gate is null) = (forced_by is not null) and (forced_by is null) = (forced_why is null))
);

create index promotions_by_model on promotions (owner, model, id);
