-- As the server's superuser, once, before the first migration. The password: \password afterglow
CREATE ROLE afterglow LOGIN;
CREATE DATABASE afterglow OWNER afterglow ENCODING 'UTF8' TEMPLATE template0;

-- "Never twice" rests on the commit before each call: it must survive a power cut.
ALTER ROLE afterglow SET synchronous_commit = on;
-- The service sets these two for itself; here they hold for a person at a prompt as well.
ALTER ROLE afterglow SET statement_timeout = '10s';
ALTER ROLE afterglow SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE afterglow SET timezone = 'UTC';
