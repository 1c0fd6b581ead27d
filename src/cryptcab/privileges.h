/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * privileges - what is taken at the start, and given up for ever
 */
#ifndef CRYPTCAB_PRIVILEGES_H
#define CRYPTCAB_PRIVILEGES_H

/* Before keys are in memory: it may be locked, no dump has it, and no other
 * process of this user looks into it. And as many descriptors as may be. */
void privileges_guard(void);

/* Becomes @user (NULL: stays who it is) and gives up all capabilities and the
 * right to get any. Names the reason in the log; 0 or -errno. */
int privileges_drop(const char *user);

#endif
