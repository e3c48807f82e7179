create table fruit (name text primary key, count integer not null default 0);
