// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flashsim: a raw NAND or NOR chip in a file of the host, for User-Mode Linux.
 *
 * The chip outlives the machine: every operation reaches the file before it returns, so a machine
 * that is killed leaves the flash as its last operation left it.
 *
 * Layout of the file
 *	NOR:	size bytes of data.
 *	NAND:	size bytes of data, then the OOB bytes of each page, then one state byte per page.
 * A blank chip is 0xFF throughout. A state byte says what happened to the page's data since its
 * eraseblock was last erased: 0xFF nothing (erased), 0x00 programmed or torn, 0x01 torn so that its
 * ECC cannot correct it. An OOB-only program (JFFS2 cleanmarker, bad-block mark) leaves it alone;
 * an erase that was cut makes every page of its block torn, so that only another erase helps.
 * With `inverted` the file holds the complement of every byte: a hole in it is blank flash, so that
 * a chip of many GiB takes no room.
 *
 * Rules. A breach prints "flashsim: VIOLATION", counts in `violations`, and fails with -EIO:
 *	NOR:	programming only clears bits.
 *	NAND:	pages are programmed whole, once per erase, in ascending order within an eraseblock;
 *		OOB programming only clears bits; a bad eraseblock is neither erased nor programmed
 *		(its OOB may be).
 *	Both:	erases cover whole eraseblocks.
 *
 * Operations. The erase of one eraseblock, the program of one NAND page (data, OOB or both), the
 * marking of a bad eraseblock, and the program of one NOR buffer (512 bytes, aligned) each count as
 * one operation, also when they fail.
 * `cut=N` ends the machine at operation N counted from boot, 1 being the first; `hang=N` has it wait
 * forever, with nothing done.
 *
 * Signals. After the take-over there is no other process to send any, so the chip does.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mtd/mtd.h>
#include <linux/mtd/partitions.h>
#include <linux/mutex.h>
#include <linux/pfn.h>
#include <linux/pid_namespace.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <os.h>

#define NOR_BUFFER 512
#define MAX_FAULTS 64
#define MAX_REGIONS 4

#define STATE_ERASED 0xff
#define STATE_PROGRAMMED 0x00
#define STATE_UNREADABLE 0x01

/* Geometry. */
static char *file;
module_param(file, charp, 0444);
MODULE_PARM_DESC(file, "backing file on the host; without it there is no chip");

static char *type = "nand";
module_param(type, charp, 0444);
MODULE_PARM_DESC(type, "nand or nor");

static ulong size = 16 << 20;
module_param(size, ulong, 0444);
MODULE_PARM_DESC(size, "bytes of data in the chip");

static uint eraseblock = 128 << 10;
module_param(eraseblock, uint, 0444);
MODULE_PARM_DESC(eraseblock, "bytes per eraseblock");

static uint page = 2048;
module_param(page, uint, 0444);
MODULE_PARM_DESC(page, "data bytes per NAND page");

static uint oob = 64;
module_param(oob, uint, 0444);
MODULE_PARM_DESC(oob, "OOB bytes per NAND page");

static bool inverted;
module_param(inverted, bool, 0444);
MODULE_PARM_DESC(inverted, "the file holds the complement of every byte, so that a hole is blank");

static uint regions[2 * MAX_REGIONS];
static uint nr_regions;
module_param_array(regions, uint, &nr_regions, 0444);
MODULE_PARM_DESC(regions, "NOR: number and size of eraseblocks, once per region, in order");

/* Faults. They hold as long as the machine is up; an erase does not cure them. */
#define FAULT_LIST(name, description)                     \
	static uint name[MAX_FAULTS];                     \
	static uint nr_##name;                            \
	module_param_array(name, uint, &nr_##name, 0444); \
	MODULE_PARM_DESC(name, description)

FAULT_LIST(badblocks, "eraseblocks that the factory marked bad");
FAULT_LIST(erasefail, "eraseblocks that fail to erase");
FAULT_LIST(programfail, "pages (NOR: 512-byte buffers) that fail to program");
FAULT_LIST(flip, "pages that read with one corrected bit flip");
FAULT_LIST(uncorrectable, "pages that read with an ECC failure");

static bool writeprotect;
module_param(writeprotect, bool, 0444);
MODULE_PARM_DESC(writeprotect, "the chip is read-only");

static bool locked;
module_param(locked, bool, 0444);
MODULE_PARM_DESC(locked, "NOR: all eraseblocks start locked");

static bool xip;
module_param(xip, bool, 0444);
MODULE_PARM_DESC(xip, "NOR: offer direct access to the data (CRAMFS on MTD needs it)");

/* Power cut. */
static uint cut;
module_param(cut, uint, 0644);
MODULE_PARM_DESC(cut, "cut the power at this operation, counted from boot; 0: never");

static char *cutmode = "torn";
module_param(cutmode, charp, 0444);
MODULE_PARM_DESC(cutmode, "before, torn, unreadable (torn, and its ECC fails) or after");

static uint seed = 1;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "where and how the cut operation tears");

/* Signals. */
static char *signals[MAX_FAULTS];
static uint nr_signals;
module_param_array(signals, charp, &nr_signals, 0444);
MODULE_PARM_DESC(signals, "SIG@N: the process that asks for operation N gets signal SIG");
FAULT_LIST(storm, "operations at which PID 1 gets every signal that there is");

static uint syncsignal;
module_param(syncsignal, uint, 0644);
MODULE_PARM_DESC(syncsignal, "the next process called flashinit that syncs the chip gets it");

static uint tell;
module_param(tell, uint, 0644);
MODULE_PARM_DESC(tell, "operation that the kernel log is to tell of");

/* Time. */
static uint hang;
module_param(hang, uint, 0644);
MODULE_PARM_DESC(hang, "operation, counted from boot, that never comes to an end; 0: none");

static uint erasetime;
module_param(erasetime, uint, 0644);
MODULE_PARM_DESC(erasetime, "milliseconds that the erase of an eraseblock takes");

/* Counters. */
static uint erases;
module_param(erases, uint, 0444);
static uint programs;
module_param(programs, uint, 0444);
static uint violations;
module_param(violations, uint, 0444);

static struct mtd_info chip;
static DEFINE_MUTEX(chip_lock);
static int chip_fd;
static u8 *block_buf;  /* one eraseblock; the host's calls need memory that is mapped */
static u8 *oob_buf;    /* OOB bytes of one eraseblock */
static u8 *state_buf;  /* state bytes of one eraseblock */
static u8 *nor_locks;  /* one byte per eraseblock, 1: locked */
static u8 *nor_window; /* copy of the whole chip that point() hands out */
static u8 *host_buf;   /* what goes to the host inverted */
static u32 random_state;
static struct mtd_erase_region_info region_info[MAX_REGIONS];

struct block {
	u32 number;
	u64 start;
	u32 size;
};

static bool is_nand(void)
{
	return chip.type == MTD_NANDFLASH;
}

static u32 pages_per_block(void)
{
	return eraseblock / page;
}

/* The eraseblock that holds this byte. */
static struct block block_at(u64 offset)
{
	struct block found = { .number = div_u64(offset, eraseblock), .size = eraseblock };
	const struct mtd_erase_region_info *region = region_info;
	u32 before = 0, within;

	if (!chip.numeraseregions) {
		found.start = (u64)found.number * eraseblock;
		return found;
	}
	while (offset >= region->offset + (u64)region->numblocks * region->erasesize)
		before += region++->numblocks;
	within = div_u64(offset - region->offset, region->erasesize);
	found.number = before + within;
	found.size = region->erasesize;
	found.start = region->offset + (u64)within * region->erasesize;
	return found;
}

static u64 oob_offset(u32 pg)
{
	return size + (u64)pg * oob;
}

static u64 state_offset(u32 pg)
{
	return size + (u64)(size / page) * oob + pg;
}

static bool listed(const uint *list, uint count, u32 what)
{
	while (count--)
		if (list[count] == what)
			return true;
	return false;
}

static void invert(u8 *to, const u8 *from, u32 len)
{
	while (len--)
		*to++ = ~*from++;
}

/* A host file that cannot be read or written means a broken laboratory, not a worn chip. */
static void host_read(void *buf, u32 len, u64 offset)
{
	if (os_pread_file(chip_fd, buf, len, offset) != len)
		panic("flashsim: cannot read %u bytes at %llu of %s\n", len, offset, file);
	if (inverted)
		invert(buf, buf, len);
}

static void host_write(const void *buf, u32 len, u64 offset)
{
	if (inverted)
		invert(host_buf, buf, len);
	if (os_pwrite_file(chip_fd, inverted ? host_buf : buf, len, offset) != len)
		panic("flashsim: cannot write %u bytes at %llu of %s\n", len, offset, file);
	if (nor_window && offset < size)
		memcpy(nor_window + offset, buf, len);
}

static int __printf(1, 2) violation(const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	pr_emerg("VIOLATION %pV\n", &vaf);
	va_end(args);
	violations++;
	return -EIO;
}

/* xorshift32: the same seed tears the same way on every run. */
static u32 next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

/* As kill(2) would. */
static void send_to_current(int sig)
{
	pr_alert("signal %d to process %d (%s)\n", sig, task_tgid_nr(current), current->comm);
	kill_pid(task_tgid(current), sig, 0);
}

static void send_all_to_init(void)
{
	int sig;

	pr_alert("every signal to PID 1\n");
	rcu_read_lock();
	for (sig = 1; sig <= _NSIG; sig++)
		kill_pid(find_pid_ns(1, &init_pid_ns), sig, 0);
	rcu_read_unlock();
}

static void send_signals(u32 operation)
{
	u32 at, i;
	int sig;

	for (i = 0; i < nr_signals; i++)
		if (sscanf(signals[i], "%d@%u", &sig, &at) == 2 && at == operation)
			send_to_current(sig);
	if (listed(storm, nr_storm, operation))
		send_all_to_init();
}

/* An unmount syncs the chip, and a process that closes it after writing to it. */
static void chip_sync(struct mtd_info *mtd)
{
	int sig = syncsignal;

	if (!sig || is_global_init(current) || strcmp(current->comm, "flashinit"))
		return;
	syncsignal = 0;
	send_to_current(sig);
}

/* As in a driver that waits for a chip that is ready no more: not even SIGKILL ends it. */
static void __noreturn hang_forever(void)
{
	pr_alert("hanging at operation %u\n", hang);
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule();
	}
}

/* Count one operation; true if the power goes during it. */
static bool count_operation(uint *counter)
{
	++*counter;
	send_signals(erases + programs);
	if (tell && erases + programs == tell)
		pr_alert("operation %u\n", tell);
	if (hang && erases + programs == hang)
		hang_forever();
	return cut && erases + programs == cut;
}

static bool cut_before(void)
{
	return !strcmp(cutmode, "before");
}

static bool cut_after(void)
{
	return !strcmp(cutmode, "after");
}

static void __noreturn power_cut(const char *what, u32 number)
{
	pr_emerg("power cut at operation %u (%s %u, %s)\n", cut, what, number, cutmode);
	os_kill_process(os_getpid(), 0);
	for (;;)
		cpu_relax();
}

/* A state byte for pages that a cut left half done. */
static u8 torn_state(void)
{
	return strcmp(cutmode, "unreadable") ? STATE_PROGRAMMED : STATE_UNREADABLE;
}

/*
 * Bad blocks
 */

static bool block_is_bad(u32 block)
{
	u8 mark;

	if (!is_nand())
		return false;
	host_read(&mark, 1, oob_offset(block * pages_per_block()));
	return mark != 0xff;
}

static void mark_block_bad(u32 block)
{
	u8 mark = 0;

	host_write(&mark, 1, oob_offset(block * pages_per_block()));
}

static int nand_block_isbad(struct mtd_info *mtd, loff_t offset)
{
	return block_is_bad(div_u64(offset, eraseblock));
}

static int nand_block_markbad(struct mtd_info *mtd, loff_t offset)
{
	u32 block = div_u64(offset, eraseblock);
	bool dying;

	mutex_lock(&chip_lock);
	if (!block_is_bad(block)) {
		dying = count_operation(&programs);
		if (!dying || !cut_before())
			mark_block_bad(block);
		if (dying)
			power_cut("bad-block mark of eraseblock", block);
	}
	mutex_unlock(&chip_lock);
	return 0;
}

/*
 * Erase
 */

/*
 * What a block looks like when the power went during its erase: its start is erased, or bits all
 * over it are, or (NOR, which programs every bit to 0 first) its start is 0.
 */
static void tear_erase(u8 *data, u32 len, u8 *oobs)
{
	u32 variant = next_random() % (is_nand() ? 2 : 3);
	u32 done = 1 + next_random() % (is_nand() ? pages_per_block() - 1 : len - 1);
	u32 i;

	if (variant == 1) {
		for (i = 0; i < len; i++)
			data[i] |= next_random();
		return;
	}
	memset(data, variant == 2 ? 0x00 : 0xff, is_nand() ? done * page : done);
	if (is_nand())
		memset(oobs, 0xff, done * oob);
}

static void __noreturn cut_during_erase(const struct block *block)
{
	u32 first = block->number * pages_per_block();

	host_read(block_buf, block->size, block->start);
	if (is_nand())
		host_read(oob_buf, pages_per_block() * oob, oob_offset(first));
	tear_erase(block_buf, block->size, oob_buf);
	host_write(block_buf, block->size, block->start);
	if (is_nand()) {
		host_write(oob_buf, pages_per_block() * oob, oob_offset(first));
		memset(state_buf, torn_state(), pages_per_block());
		host_write(state_buf, pages_per_block(), state_offset(first));
	}
	power_cut("erase of eraseblock", block->number);
}

static int erase_block(const struct block *block)
{
	u32 first = block->number * pages_per_block();
	bool dying;

	if (block_is_bad(block->number))
		return violation("erase of bad eraseblock %u", block->number);
	if (nor_locks && nor_locks[block->number])
		return -EROFS;

	dying = count_operation(&erases);
	if (dying && cut_before())
		power_cut("erase of eraseblock", block->number);
	if (dying && !cut_after())
		cut_during_erase(block);
	if (listed(erasefail, nr_erasefail, block->number))
		return -EIO;
	if (erasetime)
		msleep(erasetime);

	memset(block_buf, 0xff, block->size);
	host_write(block_buf, block->size, block->start);
	if (is_nand()) {
		host_write(block_buf, pages_per_block() * oob, oob_offset(first));
		host_write(block_buf, pages_per_block(), state_offset(first));
	}
	if (dying)
		power_cut("erase of eraseblock", block->number);
	return 0;
}

static int chip_erase(struct mtd_info *mtd, struct erase_info *instr)
{
	u64 at = instr->addr, end = at + instr->len;
	struct block block;
	int err = 0;

	mutex_lock(&chip_lock);
	for (; !err && at < end; at += block.size) {
		block = block_at(at);
		if (block.start != at || at + block.size > end)
			err = violation("erase of %llu bytes at %llu, eraseblock %u has %u",
					instr->len, instr->addr, block.number, block.size);
		else
			err = erase_block(&block);
		if (err)
			instr->fail_addr = at;
	}
	mutex_unlock(&chip_lock);
	return err;
}

/*
 * NAND: read
 */

/* From a page's OOB to the caller's buffer, in the caller's mode (raw, placed, automatic). */
static int copy_oob_out(struct mtd_oob_ops *ops, u8 *to, const u8 *page_oob, u32 start, u32 len)
{
	if (ops->mode == MTD_OPS_AUTO_OOB)
		return mtd_ooblayout_get_databytes(&chip, to, page_oob, start, len);
	memcpy(to, page_oob + start, len);
	return 0;
}

/* The other way. */
static int copy_oob_in(struct mtd_oob_ops *ops, const u8 *from, u8 *page_oob, u32 start, u32 len)
{
	if (ops->mode == MTD_OPS_AUTO_OOB)
		return mtd_ooblayout_set_databytes(&chip, from, page_oob, start, len);
	memcpy(page_oob + start, from, len);
	return 0;
}

/* What the ECC makes of a page: bits corrected, or -EBADMSG. */
static int ecc_result(u32 pg)
{
	u8 state;

	host_read(&state, 1, state_offset(pg));
	if (state == STATE_UNREADABLE || listed(uncorrectable, nr_uncorrectable, pg)) {
		chip.ecc_stats.failed++;
		return -EBADMSG;
	}
	if (listed(flip, nr_flip, pg)) {
		chip.ecc_stats.corrected++;
		return 1;
	}
	return 0;
}

static int nand_read_oob(struct mtd_info *mtd, loff_t from, struct mtd_oob_ops *ops)
{
	u32 oob_room = mtd_oobavail(mtd, ops), start = ops->ooboffs;
	u32 column = from % page, pg = div_u64(from, page);
	int ecc, flips = 0, failed = 0, err = 0;

	mutex_lock(&chip_lock);
	for (; !err && (ops->retlen < ops->len || ops->oobretlen < ops->ooblen); pg++) {
		u32 len = min_t(size_t, ops->len - ops->retlen, page - column);
		u32 ooblen = min_t(size_t, ops->ooblen - ops->oobretlen, oob_room - start);

		if (len) {
			host_read(block_buf, len, (u64)pg * page + column);
			memcpy(ops->datbuf + ops->retlen, block_buf, len);
			ops->retlen += len;
			ecc = ops->mode == MTD_OPS_RAW ? 0 : ecc_result(pg);
			if (ecc < 0)
				failed = ecc;
			else
				flips = max(flips, ecc);
		}
		if (ooblen) {
			host_read(oob_buf, oob, oob_offset(pg));
			err = copy_oob_out(ops, ops->oobbuf + ops->oobretlen, oob_buf, start,
					   ooblen);
			ops->oobretlen += ooblen;
		}
		column = 0;
		start = 0;
	}
	mutex_unlock(&chip_lock);
	return err ?: failed ?: flips;
}

/*
 * NAND: program
 */

/* Is this page erased, with no later page of its eraseblock programmed? */
static int check_page_order(u32 pg)
{
	u32 in_block = pg % pages_per_block();
	u32 first = pg - in_block, i;

	if (block_is_bad(pg / pages_per_block()))
		return violation("program of page %u in a bad eraseblock", pg);
	host_read(state_buf, pages_per_block(), state_offset(first));
	if (state_buf[in_block] != STATE_ERASED)
		return violation("program of page %u, not erased since its last program", pg);
	for (i = in_block + 1; i < pages_per_block(); i++)
		if (state_buf[i] != STATE_ERASED)
			return violation("program of page %u after page %u", pg, first + i);
	return 0;
}

/* Bytes of 0xFF leave the OOB byte as it is; every other must be reachable by clearing bits. */
static int check_oob_bits(u32 pg, const u8 *new_oob)
{
	u32 i;

	host_read(oob_buf, oob, oob_offset(pg));
	for (i = 0; i < oob; i++)
		if (new_oob[i] != 0xff && (oob_buf[i] & new_oob[i]) != new_oob[i])
			return violation("OOB program of page %u sets bits of byte %u", pg, i);
	return 0;
}

static void write_page_data(u32 pg, const u8 *data, u32 len, u8 state)
{
	memcpy(block_buf, data, len);
	host_write(block_buf, len, (u64)pg * page);
	host_write(&state, 1, state_offset(pg));
}

static void write_page_oob(u32 pg, const u8 *new_oob)
{
	u32 i;

	host_read(oob_buf, oob, oob_offset(pg));
	for (i = 0; i < oob; i++)
		oob_buf[i] &= new_oob[i];
	host_write(oob_buf, oob, oob_offset(pg));
}

/* Program data (or NULL) and OOB (0xFF where untouched) of one page. */
static int program_page(u32 pg, const u8 *data, const u8 *new_oob)
{
	int err = data ? check_page_order(pg) : 0;
	bool dying;

	if (!err)
		err = check_oob_bits(pg, new_oob);
	if (err)
		return err;

	dying = count_operation(&programs);
	if (dying && cut_before())
		power_cut("program of page", pg);
	if (data && dying && !cut_after()) {
		write_page_data(pg, data, 1 + next_random() % (page - 1), torn_state());
		power_cut("program of page", pg);
	}
	if (listed(programfail, nr_programfail, pg)) {
		if (data)
			write_page_data(pg, data, page / 2, STATE_PROGRAMMED);
		return -EIO;
	}
	if (data)
		write_page_data(pg, data, page, STATE_PROGRAMMED);
	write_page_oob(pg, new_oob);
	if (dying)
		power_cut("program of page", pg);
	return 0;
}

static int nand_write_oob(struct mtd_info *mtd, loff_t to, struct mtd_oob_ops *ops)
{
	u32 oob_room = mtd_oobavail(mtd, ops), start = ops->ooboffs, pg = div_u64(to, page);
	u8 *new_oob;
	int err = 0;

	new_oob = kmalloc(oob, GFP_KERNEL);
	if (!new_oob)
		return -ENOMEM;
	mutex_lock(&chip_lock);
	if (to % page || ops->len % page)
		err = violation("program of %zu bytes at %lld, pages are %u", ops->len, to, page);
	for (; !err && (ops->retlen < ops->len || ops->oobretlen < ops->ooblen); pg++) {
		u32 ooblen = min_t(size_t, ops->ooblen - ops->oobretlen, oob_room - start);
		const u8 *data = ops->retlen < ops->len ? ops->datbuf + ops->retlen : NULL;

		memset(new_oob, 0xff, oob);
		if (ooblen)
			err = copy_oob_in(ops, ops->oobbuf + ops->oobretlen, new_oob, start,
					  ooblen);
		if (!err)
			err = program_page(pg, data, new_oob);
		if (err)
			break;
		ops->retlen += data ? page : 0;
		ops->oobretlen += ooblen;
		start = 0;
	}
	mutex_unlock(&chip_lock);
	kfree(new_oob);
	return err;
}

/* OOB: two bytes for the bad-block mark, then free bytes, the last three eighths for the ECC. */
static int layout_ecc(struct mtd_info *mtd, int section, struct mtd_oob_region *region)
{
	if (section)
		return -ERANGE;
	region->length = oob * 3 / 8;
	region->offset = oob - region->length;
	return 0;
}

static int layout_free(struct mtd_info *mtd, int section, struct mtd_oob_region *region)
{
	if (section)
		return -ERANGE;
	region->offset = 2;
	region->length = oob - oob * 3 / 8 - 2;
	return 0;
}

static const struct mtd_ooblayout_ops nand_layout = {
	.ecc = layout_ecc,
	.free = layout_free,
};

/*
 * NOR
 */

static int nor_read(struct mtd_info *mtd, loff_t from, size_t len, size_t *retlen, u_char *buf)
{
	mutex_lock(&chip_lock);
	for (*retlen = 0; *retlen < len;) {
		u32 part = min_t(size_t, len - *retlen, eraseblock);

		host_read(block_buf, part, from + *retlen);
		memcpy(buf + *retlen, block_buf, part);
		*retlen += part;
	}
	mutex_unlock(&chip_lock);
	return 0;
}

/* Program at most one buffer: len bytes that do not cross a multiple of NOR_BUFFER. */
static int program_buffer(u64 to, const u8 *data, u32 len)
{
	u32 number = div_u64(to, NOR_BUFFER), i;
	bool dying;

	if (nor_locks[block_at(to).number])
		return -EROFS;
	host_read(block_buf, len, to);
	for (i = 0; i < len; i++)
		if ((block_buf[i] & data[i]) != data[i])
			return violation("program of byte %llu sets bits: 0x%02x to 0x%02x", to + i,
					 block_buf[i], data[i]);

	dying = count_operation(&programs);
	if (dying && cut_before())
		power_cut("program of buffer", number);
	memcpy(block_buf, data, len);
	if (dying && !cut_after()) {
		host_write(block_buf, 1 + next_random() % len, to);
		power_cut("program of buffer", number);
	}
	if (listed(programfail, nr_programfail, number)) {
		host_write(block_buf, len / 2, to);
		return -EIO;
	}
	host_write(block_buf, len, to);
	if (dying)
		power_cut("program of buffer", number);
	return 0;
}

static int nor_write(struct mtd_info *mtd, loff_t to, size_t len, size_t *retlen, const u_char *buf)
{
	int err = 0;

	mutex_lock(&chip_lock);
	for (*retlen = 0; !err && *retlen < len;) {
		u32 room = NOR_BUFFER - (to + *retlen) % NOR_BUFFER;
		u32 part = min_t(size_t, len - *retlen, room);

		err = program_buffer(to + *retlen, buf + *retlen, part);
		if (!err)
			*retlen += part;
	}
	mutex_unlock(&chip_lock);
	return err;
}

static void set_locks(loff_t offset, u64 len, u8 lock)
{
	u32 first = block_at(offset).number;
	u32 end = block_at(offset + len - 1).number + 1;

	memset(nor_locks + first, lock, end - first);
}

static int nor_lock(struct mtd_info *mtd, loff_t offset, u64 len)
{
	set_locks(offset, len, 1);
	return 0;
}

static int nor_unlock(struct mtd_info *mtd, loff_t offset, u64 len)
{
	set_locks(offset, len, 0);
	return 0;
}

static int nor_is_locked(struct mtd_info *mtd, loff_t offset, u64 len)
{
	return nor_locks[block_at(offset).number];
}

/*
 * Direct access goes to a copy of the chip that every operation keeps up to date. The copy is not
 * contiguous in physical memory: good for whoever reads through virt, not for mapping phys.
 */
static int nor_point(struct mtd_info *mtd, loff_t from, size_t len, size_t *retlen, void **virt,
		     resource_size_t *phys)
{
	*virt = nor_window + from;
	if (phys)
		*phys = PFN_PHYS(vmalloc_to_pfn(*virt)) + offset_in_page(*virt);
	*retlen = len;
	return 0;
}

static int nor_unpoint(struct mtd_info *mtd, loff_t from, size_t len)
{
	return 0;
}

/*
 * hold: write a path to it and the kernel keeps that file open for good, as a driver that loaded
 * its firmware from the old root might: umount says EBUSY and no process is to blame.
 */

static struct file *held_file;

static int hold_set(const char *value, const struct kernel_param *param)
{
	struct file *opened;
	char *path;

	path = kstrdup(value, GFP_KERNEL);
	if (!path)
		return -ENOMEM;
	opened = filp_open(strim(path), O_RDONLY, 0);
	if (!IS_ERR(opened)) {
		if (held_file)
			filp_close(held_file, NULL);
		held_file = opened;
		pr_alert("holding %s\n", strim(path));
	}
	kfree(path);
	return PTR_ERR_OR_ZERO(opened);
}

static const struct kernel_param_ops hold_ops = {
	.set = hold_set,
};
module_param_cb(hold, &hold_ops, NULL, 0200);
MODULE_PARM_DESC(hold, "keep this file open in the kernel");

/*
 * Start and end
 */

static int report_counters(struct notifier_block *nb, unsigned long action, void *data)
{
	pr_alert("%u erases, %u programs\n", erases, programs);
	return NOTIFY_DONE;
}

static struct notifier_block reboot_notifier = {
	.notifier_call = report_counters,
};

static void describe_nand(void)
{
	chip.type = MTD_NANDFLASH;
	chip.flags = MTD_CAP_NANDFLASH;
	chip.writesize = page;
	chip.writebufsize = page;
	chip.oobsize = oob;
	chip.ecc_step_size = 512;
	chip.ecc_strength = 4;
	chip.bitflip_threshold = 3;
	chip._read_oob = nand_read_oob;
	chip._write_oob = nand_write_oob;
	chip._block_isbad = nand_block_isbad;
	chip._block_markbad = nand_block_markbad;
	mtd_set_ooblayout(&chip, &nand_layout);
	chip.oobavail = mtd_ooblayout_count_freebytes(&chip);
}

static void describe_nor(void)
{
	page = NOR_BUFFER;
	oob = 0;
	chip.type = MTD_NORFLASH;
	chip.flags = MTD_CAP_NORFLASH;
	chip.writesize = 1;
	chip.writebufsize = NOR_BUFFER;
	chip._read = nor_read;
	chip._write = nor_write;
	chip._lock = nor_lock;
	chip._unlock = nor_unlock;
	chip._is_locked = nor_is_locked;
	if (xip) {
		chip._point = nor_point;
		chip._unpoint = nor_unpoint;
	}
}

/* The regions make up the chip, the largest eraseblock is `eraseblock`. */
static int __init describe_regions(void)
{
	u32 largest = 0, i;
	u64 offset = 0;

	for (i = 0; i < nr_regions / 2; i++) {
		region_info[i].offset = offset;
		region_info[i].numblocks = regions[2 * i];
		region_info[i].erasesize = regions[2 * i + 1];
		offset += (u64)regions[2 * i] * regions[2 * i + 1];
		largest = max(largest, regions[2 * i + 1]);
	}
	if (is_nand() || nr_regions % 2 || offset != size || largest != eraseblock) {
		pr_err("bad regions: %llu of %lu bytes, the largest eraseblock is %u of %u\n",
		       offset, size, largest, eraseblock);
		return -EINVAL;
	}
	chip.eraseregions = region_info;
	chip.numeraseregions = nr_regions / 2;
	return 0;
}

/* The geometry must make sense and the file must have the size it asks for. */
static int __init check_geometry(void)
{
	unsigned long long expected = size, found;
	int err;

	if (!size || !eraseblock || !page || eraseblock % page || size % eraseblock) {
		pr_err("bad geometry: size %lu, eraseblock %u, page %u\n", size, eraseblock, page);
		return -EINVAL;
	}
	err = nr_regions ? describe_regions() : 0;
	if (err)
		return err;
	if (is_nand())
		expected += (size / page) * (oob + 1ull);
	err = os_file_size(file, &found);
	if (!err && found != expected) {
		pr_err("%s has %llu bytes, this chip needs %llu\n", file, found, expected);
		err = -EINVAL;
	}
	return err;
}

static int __init allocate_buffers(void)
{
	u32 blocks = block_at(size - 1).number + 1;

	block_buf = kmalloc(eraseblock, GFP_KERNEL);
	oob_buf = kmalloc(max(pages_per_block() * oob, 1u), GFP_KERNEL);
	state_buf = kmalloc(pages_per_block(), GFP_KERNEL);
	host_buf = kmalloc(inverted ? eraseblock : 1, GFP_KERNEL);
	if (!block_buf || !oob_buf || !state_buf || !host_buf)
		return -ENOMEM;
	if (is_nand())
		return 0;
	nor_locks = kzalloc(blocks, GFP_KERNEL);
	if (!nor_locks)
		return -ENOMEM;
	memset(nor_locks, locked, blocks);
	return 0;
}

/* Fill the window for direct access; from then on host_write() keeps it up to date. */
static int __init fill_window(void)
{
	size_t done;
	u8 *window;

	if (is_nand() || !xip)
		return 0;
	window = vmalloc(size);
	if (!window)
		return -ENOMEM;
	nor_read(&chip, 0, size, &done, window);
	nor_window = window;
	return 0;
}

static int __init flashsim_init(void)
{
	uint i;
	int err;

	if (!file)
		return 0;
	if (strcmp(type, "nor"))
		describe_nand();
	else
		describe_nor();
	chip.name = "flashsim";
	chip.owner = THIS_MODULE;
	chip.size = size;
	chip.erasesize = eraseblock;
	chip._erase = chip_erase;
	chip._sync = chip_sync;
	if (writeprotect)
		chip.flags &= ~MTD_WRITEABLE;
	random_state = seed * 2654435761u + 1;

	err = check_geometry() ?: allocate_buffers();
	if (err)
		return err;
	chip_fd = os_open_file(file, of_cloexec(of_rdwr(OPENFLAGS())), 0);
	if (chip_fd < 0) {
		pr_err("cannot open %s\n", file);
		return chip_fd;
	}
	err = fill_window();
	if (err)
		return err;
	for (i = 0; i < nr_badblocks && is_nand(); i++)
		mark_block_bad(badblocks[i]);
	err = mtd_device_register(&chip, NULL, 0);
	if (err)
		return err;
	return register_reboot_notifier(&reboot_notifier);
}
device_initcall(flashsim_init);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("NAND or NOR flash in a file of the host, with rules, faults and power cuts");
