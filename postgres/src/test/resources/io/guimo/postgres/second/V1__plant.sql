create table plant (name text primary key);
