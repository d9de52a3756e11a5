#pragma once
/* What it means that the other host does not have a connection: unknown_ends.h found that out. */
#include "diagnose/unknown_ends.h"
#include "model/diagnosis.h"

/* How sure it is that the other host does not know the connection. */
enum unknown_sign {
    UNKNOWN_NOT, /* it has it, or may have it, or nothing speaks for the contrary */
    UNKNOWN_UNSURE,
    UNKNOWN_POSSIBLE,
    UNKNOWN_LIKELY,
};

/* For each connection of the snapshot. */
enum unknown_sign unknown_verdict(const struct context *context, const struct conn *conn);
/* The listener of the service on the other host; NULL where there is none, or the service is this host's. */
const struct conn *unknown_verdict_listener(const struct context *context, const struct unknown_service *service);
/* Notes as a gap of the diagnosis where too little shows whether the other host has its ends. */
void unknown_verdict_note_unsure(const struct context *context, struct diagnosis *diagnosis);
