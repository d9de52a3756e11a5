#pragma once
/* Decides what it means that the other host does not have a connection (unknown_ends.h finds such connections). */
#include "diagnose/unknown_ends.h"
#include "model/diagnosis.h"

/* How sure it is that the other host has lost its end of the connection. */
enum unknown_sign {
    UNKNOWN_NOT,    /* it has its end, or there is no sign that it has lost it */
    UNKNOWN_UNSURE, /* its end is missing, but that has other explanations */
    UNKNOWN_POSSIBLE,
    UNKNOWN_LIKELY,
};

/* Decides for any connection of the snapshot. */
enum unknown_sign unknown_verdict(const struct context *context, const struct conn *conn);
/* The listener of the service on the other host. NULL if it has none, or if the service is this host's. */
const struct conn *unknown_verdict_listener(const struct context *context, const struct unknown_service *service);
/* Adds a gap to the diagnosis if there are selected connections with UNKNOWN_UNSURE. */
void unknown_verdict_note_unsure(const struct context *context, struct diagnosis *diagnosis);
