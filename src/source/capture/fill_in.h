#pragma once
#include "model/conn.h"

/*
 * Two rows of one connection, from two programs or two runs of one. Copies the fields that only the other row has. A
 * word in the place of an address gives way to the address.
 */
void conn_fill_in(struct conn *conn, const struct conn *other);
