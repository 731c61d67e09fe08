-- Run once by the image of Postgres, as its superuser: the role and the database of Parley.
-- The role is no superuser: it owns its database, and may do nothing else.
\getenv password PARLEY_PASSWORD
CREATE ROLE parley LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE parley OWNER parley;
REVOKE CONNECT ON DATABASE parley FROM PUBLIC;
