/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * conn_ring - a connection to a switch by rings in shared memory
 */
#ifndef LIB_CONN_RING_H
#define LIB_CONN_RING_H

#include "base/wire.h"
#include "lib/conn.h"

/* Asks the switch at the other end of @ctl for rings; on success @ctl is the
 * connection's. -EOPNOTSUPP: it does not know them or does not want to, ask
 * again on another connection for datagrams. Another -errno: it refused the
 * port itself. On failure @ctl stays the caller's. */
int ring_conn_open_take(int ctl, const struct wire_request *rq,
			const char *descr, struct vdeconn **out);

#endif
