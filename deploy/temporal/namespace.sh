#!/bin/sh
# Creates our namespace and registers the search attributes of siklus.workflows.names; safe to
# repeat. A workflow that sets an unregistered one never progresses.
# Environment: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, RETENTION, and TRIES (one every two seconds).
set -eu
: "${TEMPORAL_ADDRESS:?}" "${TEMPORAL_NAMESPACE:?}" "${RETENTION:?}"

# Servers start slowly, and learn of a new namespace or attribute within seconds, not at once.
again() {
    left=${TRIES:-60}
    until said=$("$@" 2>&1); do
        left=$((left - 1))
        if [ "$left" -le 0 ]; then
            echo "$said" >&2
            exit 1
        fi
        sleep 2
    done
}

namespace() {
    temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" ||
        temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" \
            --retention "$RETENTION"
}

attribute() {
    temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" \
        --type Keyword --name "$1" &&
        temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE" |
        grep -q " $1 "
}

again temporal operator cluster health
again namespace
# One at a time: given several names, the server registers the first and reports success.
for name in SiklusAgency SiklusCycle SiklusStage; do
    again attribute "$name"
done
echo "namespace $TEMPORAL_NAMESPACE is ready"
