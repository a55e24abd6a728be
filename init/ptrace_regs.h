/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What replacing a process by ptrace has to know of a CPU: its registers as the kernel gives them, and the
 * instruction that calls the kernel. Sources: arch/CPU/include/uapi/asm/ptrace.h, and ptrace.c and signal.c in
 * arch/CPU/kernel, of Linux.
 *
 * Tested on x86_64. i386 and MIPS are compiled and were never run.
 */
#ifndef INIT_PTRACE_REGS_H
#define INIT_PTRACE_REGS_H

#include <errno.h>
#include <stdint.h>

/*
 * Indices into the registers, which are words: PC, the stack, a call's number, its three first arguments and
 * its result. CALL is the instruction, CALL_SIZE its bytes. regs_forget() makes that the kernel does not
 * start again the call that the process was in; regs_again() makes of registers that wait for that those
 * which do it, and of a call that cannot be started again one that was interrupted.
 */
#if defined(__x86_64__) || defined(__i386__)
#ifdef __x86_64__
typedef uint64_t reg_word;
enum { REGS_RESULT = 10, REGS_ORIG = 15, REGS_PC = 16, REGS_SP = 19 };
enum { REGS_ARG0 = 14, REGS_ARG1 = 13, REGS_ARG2 = 12, REGS_COUNT = 27 };
#define CALL(r) ((void)(r), 0x050fu)
#else
typedef uint32_t reg_word;
enum { REGS_RESULT = 6, REGS_ORIG = 11, REGS_PC = 12, REGS_SP = 15 };
enum { REGS_ARG0 = 0, REGS_ARG1 = 1, REGS_ARG2 = 2, REGS_COUNT = 17 };
#define CALL(r) ((void)(r), 0x80cdu) /* what came by sysenter goes back behind one, too */
#endif
enum { REGS_NUMBER = REGS_RESULT };
#define CALL_SIZE(r) ((void)(r), 2u)
#define CALL_ERROR(r) (-(int)(r)[REGS_RESULT])

static inline void regs_forget(reg_word *r)
{
	r[REGS_ORIG] = (reg_word)-1;
}

static inline void regs_again(reg_word *r)
{
	r[REGS_NUMBER] = r[REGS_ORIG];
	r[REGS_PC] -= 2;
}

#elif defined(__mips__)
typedef uint64_t reg_word; /* whatever the CPU's are */
enum {
	REGS_ZERO = 0,
	REGS_RESULT = 2,
	REGS_ARG0 = 4,
	REGS_ARG1 = 5,
	REGS_ARG2 = 6,
	REGS_FAILED = 7
};
enum { REGS_NUMBER = REGS_RESULT, REGS_K0 = 26, REGS_SP = 29, REGS_PC = 34, REGS_COUNT = 38 };
#define CALL(r) ((void)(r), 0x0000000cu)
#define CALL_SIZE(r) ((void)(r), 4u)
#define CALL_ERROR(r) ((r)[REGS_FAILED] ? (int)(r)[REGS_RESULT] : 0)

static inline void regs_forget(reg_word *r)
{
	r[REGS_ZERO] = 0;
}

/* Of a call that failed the kernel keeps the number and the fourth argument. */
static inline void regs_again(reg_word *r)
{
	r[REGS_NUMBER] = r[REGS_ZERO];
	r[REGS_FAILED] = r[REGS_K0];
	r[REGS_PC] -= 4;
}

/*
 * ARM and RISC-V are not here: after our stop their kernels make an interrupted call again if the program counter
 * is still where they put it, with arguments that would be ours by then.
 */
#else
#define REGS_UNKNOWN
#endif

#endif
