/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What replacing a process by ptrace has to know of a CPU: its registers as the kernel gives them, where a call's
 * number and arguments are when it is about to be made, and the instruction that makes it. Sources:
 * arch/CPU/include/uapi/asm/ptrace.h, and ptrace.c, signal.c and entry code in arch/CPU/kernel, of Linux.
 *
 * On RISC-V a call's first argument is not among those registers, since Linux 6.4.
 */
#ifndef INIT_PTRACE_REGS_H
#define INIT_PTRACE_REGS_H

#include <elf.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/*
 * Indices into the registers, which are words: PC, the stack, a call's three first arguments and its result. CALL is
 * the instruction, right before PC when the call is made, and CALL_SIZE its bytes. For PID 1, stopped before or behind
 * a call: regs_exec() makes it execve, by registers that have yet to be set or at once, and then is 0 or -1 with errno;
 * regs_again() makes of the registers before a call those that make it anew, when they are set behind one.
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
#define CALL_SIZE(r) ((void)(r), 2u)
#define CALL_ERROR(r) (-(int)(r)[REGS_RESULT])

static inline long regs_exec(reg_word *r)
{
	r[REGS_ORIG] = SYS_execve;
	return 0;
}

static inline void regs_again(reg_word *r)
{
	r[REGS_RESULT] = r[REGS_ORIG]; /* where the instruction wants the number */
	r[REGS_ORIG] = (reg_word)-1;
	r[REGS_PC] -= 2;
}

#elif defined(__mips__)
#define REGS_SINCE "4.14" /* before, what is in v0 when a call is stopped does not count */
typedef uint64_t reg_word; /* whatever the CPU's are */
enum { REGS_ZERO = 0, REGS_RESULT = 2, REGS_ARG0 = 4, REGS_ARG1 = 5, REGS_ARG2 = 6 };
enum { REGS_FAILED = 7, REGS_SP = 29, REGS_PC = 34, REGS_COUNT = 38 };
#define CALL(r) ((void)(r), 0x0000000cu)
#define CALL_SIZE(r) ((void)(r), 4u)
#define CALL_ERROR(r) ((r)[REGS_FAILED] ? (int)(r)[REGS_RESULT] : 0)

static inline long regs_exec(reg_word *r)
{
	r[REGS_RESULT] = SYS_execve; /* Linux looks for another number there */
	return 0;
}

static inline void regs_again(reg_word *r)
{
	r[REGS_ZERO] = 0; /* the kernel's note of a number that it may have to start again */
	r[REGS_PC] -= 4;
}

#elif defined(__arm__)
typedef uint32_t reg_word;
enum { REGS_RESULT = 0, REGS_ARG0 = 0, REGS_ARG1 = 1, REGS_ARG2 = 2 };
enum { REGS_SP = 13, REGS_PC = 15, REGS_CPSR = 16, REGS_COUNT = 18, REGS_THUMB = 0x20 };
#define CALL(r) ((r)[REGS_CPSR] & REGS_THUMB ? 0xdf00u : 0xef000000u)
#define CALL_SIZE(r) ((r)[REGS_CPSR] & REGS_THUMB ? 2u : 4u)
#define CALL_ERROR(r) (-(int)(r)[REGS_RESULT])

static inline long regs_exec(reg_word *r)
{
	(void)r;
	return ptrace(PTRACE_SET_SYSCALL, 1, NULL, SYS_execve);
}

static inline void regs_again(reg_word *r)
{
	r[REGS_PC] -= CALL_SIZE(r);
}

#elif defined(__aarch64__)
#define REGS_SINCE "3.19" /* NT_ARM_SYSTEM_CALL */
typedef uint64_t reg_word;
enum { REGS_RESULT = 0, REGS_ARG0 = 0, REGS_ARG1 = 1, REGS_ARG2 = 2 };
enum { REGS_SP = 31, REGS_PC = 32, REGS_COUNT = 34 };
#define CALL(r) ((void)(r), 0xd4000001u)
#define CALL_SIZE(r) ((void)(r), 4u)
#define CALL_ERROR(r) (-(int)(r)[REGS_RESULT])
#define REGS_BY_SET

static inline long regs_exec(reg_word *r)
{
	int number = SYS_execve;
	struct iovec set = { &number, sizeof(number) };

	(void)r;
	return ptrace(PTRACE_SETREGSET, 1, NT_ARM_SYSTEM_CALL, &set);
}

static inline void regs_again(reg_word *r)
{
	r[REGS_PC] -= 4;
}

#elif defined(__riscv)
#define REGS_SINCE "5.3" /* PTRACE_GET_SYSCALL_INFO */
typedef unsigned long reg_word;
enum { REGS_PC = 0, REGS_SP = 2, REGS_RESULT = 10, REGS_ARG0 = 10, REGS_ARG1 = 11 };
enum { REGS_ARG2 = 12, REGS_NUMBER = 17, REGS_COUNT = 32 };
#define CALL(r) ((void)(r), 0x00000073u)
#define CALL_SIZE(r) ((void)(r), 4u)
#define CALL_ERROR(r) (-(int)(r)[REGS_RESULT])
#define REGS_BY_SET
#define REGS_BY_NEXT_CALL

static inline long regs_exec(reg_word *r)
{
	r[REGS_NUMBER] = SYS_execve;
	r[REGS_PC] -= 4;
	return 0;
}

static inline void regs_again(reg_word *r)
{
	r[REGS_PC] -= 4;
}

/* A call that there is not: it is left at once. */
static inline void regs_no_call(reg_word *r)
{
	r[REGS_NUMBER] = (reg_word)-1;
}

#else
#define REGS_UNKNOWN
#endif

#ifndef REGS_UNKNOWN
/* The registers of PID 1, which is stopped. 0, or -1 with errno. */
static inline long regs_get(reg_word r[REGS_COUNT])
{
	memset(r, 0, REGS_COUNT * sizeof(*r)); /* a program for another CPU has fewer */
#ifdef REGS_BY_SET
	struct iovec set = { r, REGS_COUNT * sizeof(*r) };
	long result = ptrace(PTRACE_GETREGSET, 1, NT_PRSTATUS, &set);
#ifdef REGS_BY_NEXT_CALL
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, 1, sizeof(info), &info) > 0 &&
	    info.op == PTRACE_SYSCALL_INFO_ENTRY)
		r[REGS_ARG0] = (reg_word)info.entry.args[0];
#endif
	return result;
#else
	return ptrace(PTRACE_GETREGS, 1, NULL, r); /* User-Mode Linux knows but these */
#endif
}

static inline long regs_set(reg_word r[REGS_COUNT])
{
#ifdef REGS_BY_SET
	struct iovec set = { r, REGS_COUNT * sizeof(*r) };

	return ptrace(PTRACE_SETREGSET, 1, NT_PRSTATUS, &set);
#else
	return ptrace(PTRACE_SETREGS, 1, NULL, r);
#endif
}
#endif

#endif
