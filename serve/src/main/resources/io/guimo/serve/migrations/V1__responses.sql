-- Answers of /v1/responses that their callers asked to keep (StoredResponses). Rows are added and deleted, never changed.
create table stored_response (
    id              text        primary key,
    organization_id text        not null,
    -- the answer that it goes on from; it may have been deleted since
    previous_id     text,
    created_at      timestamptz not null,
    -- the answer as it was given, JSON; kept byte for byte
    document        text        not null,
    -- what it adds to the conversation: the request's messages and the answer, JSON
    messages        text        not null
);

create index stored_response_age on stored_response (created_at);
