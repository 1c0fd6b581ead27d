/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd_loopguard - the loop guard of this switch
 */
#ifndef SWITCH_CMD_LOOPGUARD_H
#define SWITCH_CMD_LOOPGUARD_H

struct vswitch;

/* 0 or -errno. After event_init(); off until the console says so. */
int loops_start(struct vswitch *);
/* Also after a start that failed, or none. */
void loops_stop(struct vswitch *);

#endif
