/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fstp - the spanning trees in the running switch: a timer, the log, events
 */
#ifndef SWITCH_FSTP_H
#define SWITCH_FSTP_H

#include "switch/stp.h"
#include "switch/vswitch.h"

#define BRIDGE_ID_STRLEN 24

/* "80:00:00:ff:01:02:03:04" */
char *bridge_id_str(char s[static BRIDGE_ID_STRLEN], uint64_t id);

/* Sets sw->stp, which is off. 0 or -ENOMEM. */
int fstp_start(struct vswitch *, uint16_t priority);
/* Off; before the loop and the bridge go. */
void fstp_stop(struct vswitch *);

#endif
