/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * conn_ring - a connection to a switch by rings in shared memory
 */
#ifndef LIB_CONN_RING_H
#define LIB_CONN_RING_H

#include "base/wire.h"
#include "lib/conn.h"

/* Asks the switch at the other end of @ctl for rings. 0, or -EOPNOTSUPP if it
 * has hung up. */
int ring_conn_ask(int ctl, const struct wire_request *rq, const char *descr);

/* Its answer to who said that the caller takes @caps: 0, and @ctl is the connection's; -EAGAIN if there is none in
 * this time; -EOPNOTSUPP: it does not know rings or does not want to, or they
 * cannot be used here: ask again on another connection for datagrams; -EACCES:
 * it refuses the port itself. On failure @ctl stays the caller's. */
int ring_conn_take(int ctl, int timeout_ms, unsigned int caps,
		   struct vdeconn **out);

#endif
