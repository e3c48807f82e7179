-- What a meter's units took of the engine's processor time, where the engine can tell them apart: else 0 in all rows of the engine.
alter table cost_share add column meter_cpu_nanos bigint not null default 0 check (meter_cpu_nanos >= 0);
