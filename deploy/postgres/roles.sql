-- Creates the roles and databases of Siklus and of Temporal; safe to repeat, which also sets the
-- passwords anew. Run by psql as an administrator of the server, with the passwords in the
-- environment: OWNER_PASSWORD, APP_PASSWORD, FEED_PASSWORD, TEMPORAL_PASSWORD.
\set ON_ERROR_STOP on
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD
\getenv feed_password FEED_PASSWORD
\getenv temporal_password TEMPORAL_PASSWORD

-- An empty password would create a role that nobody can log in as: fail here instead.
SELECT 1 / (length(:'owner_password') * length(:'app_password')
    * length(:'feed_password') * length(:'temporal_password') > 0)::int AS every_password_is_set;

SELECT format('CREATE ROLE %I', role)
FROM unnest(ARRAY['siklus_owner', 'siklus_app', 'siklus_feed', 'temporal']) AS role
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role)
\gexec

-- Nobody here passes row-level security, the owner included.
ALTER ROLE siklus_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
ALTER ROLE siklus_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'app_password';
ALTER ROLE siklus_feed LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'feed_password';
ALTER ROLE temporal LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'temporal_password';

SELECT format('CREATE DATABASE %I OWNER %I', name, role)
FROM (VALUES
    ('siklus', 'siklus_owner'),
    ('temporal', 'temporal'),
    ('temporal_visibility', 'temporal')
) AS wanted (name, role)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name)
\gexec

-- Temporal has no business in our database, nor we in its.
REVOKE CONNECT ON DATABASE siklus, temporal, temporal_visibility FROM PUBLIC;
GRANT CONNECT ON DATABASE siklus TO siklus_app, siklus_feed;
-- An import keeps its rows in temporary tables until it is decided.
GRANT TEMPORARY ON DATABASE siklus TO siklus_app;
