/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds a file system besides processes: swap, loop devices, sockets. And who holds what is left.
 */
#ifndef INIT_HOLDERS_H
#define INIT_HOLDERS_H

/* Turns all swap off. Returns how many areas went. */
unsigned int holders_swap_off(void);

/* Detaches all loop devices that are not in use themselves. Returns how many went. */
unsigned int holders_detach_loops(void);

/*
 * Has the kernel let go of files that are on their way through sockets which only such files refer to:
 * it looks for these cycles when a socket of that kind is closed, and nobody may be left to close one.
 */
void holders_drop_in_flight(void);

/*
 * Names every swap area, every attached loop device, and every process whose working directory,
 * root, program, open file or mapped file lies below dir. Returns how many that were.
 */
unsigned int holders_name(const char *dir);

#endif
