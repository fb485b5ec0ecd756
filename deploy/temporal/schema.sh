#!/bin/sh
# Brings Temporal's two databases to the schema of this image's version; safe to repeat.
# Environment: SQL_HOST, SQL_USER, SQL_PASSWORD (read by temporal-sql-tool itself).
set -eu
: "${SQL_HOST:?}" "${SQL_USER:?}" "${SQL_PASSWORD:?}"

for store in temporal visibility; do
    database=temporal
    [ "$store" = temporal ] || database=temporal_visibility
    set -- --plugin postgres12 --ep "$SQL_HOST" --port 5432 --user "$SQL_USER" --db "$database"
    temporal-sql-tool "$@" setup-schema --version 0.0
    temporal-sql-tool "$@" update-schema \
        --schema-dir "/etc/temporal/schema/postgresql/v12/$store/versioned"
done
