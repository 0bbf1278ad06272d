/* SPDX-License-Identifier: BSD-2-Clause */
/* system.c: texts about the machine. */
#include "procfs.h"

enum { PAGE_KB = 4, TICK_NS = 10000000, CENTI_NS = 10000000, LOAD_ONE = 65536 };

void print_meminfo(struct text *t, const struct census_about *none)
{
    struct vm_totals m = { 0 };
    if (vm_total(vm_door(), &m) != L4_OK) {
        return;
    }
    text_put(t, "MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\nBuffers:               0 kB\n", m.total * PAGE_KB,
             m.free * PAGE_KB, m.free * PAGE_KB);
    text_put(t, "Cached:         %8lu kB\nSwapCached:            0 kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\n", m.objects * PAGE_KB);
    text_put(t, "AnonPages:      %8lu kB\nSReclaimable:          0 kB\nShmem:          %8lu kB\nPageTables:     %8lu kB\n", m.anonymous * PAGE_KB, m.objects * PAGE_KB,
             m.page_tables * PAGE_KB);
}

void print_uptime(struct text *t, const struct census_about *none)
{
    u64 centi = l4_now() / CENTI_NS;
    text_put(t, "%lu.%02lu 0.00\n", centi / 100, centi % 100);
}

void print_loadavg(struct text *t, const struct census_about *none)
{
    struct census_load l = census_load_now();
    for (u32 i = 0; i < 3; i++) {
        text_put(t, "%lu.%02lu ", l.load[i] / LOAD_ONE, l.load[i] % LOAD_ONE * 100 / LOAD_ONE);
    }
    text_put(t, "%u/%u %u\n", l.running, l.processes, l.last_pid);
}

void print_version(struct text *t, const struct census_about *none)
{
    text_put(t, "Linux version 6.1.0-axolotl (axolotl) #1 Axolotl %s\n", l4_kip()->version);
}

void print_cpuinfo(struct text *t, const struct census_about *none)
{
    const struct l4_kip *kip = l4_kip();
    for (u32 i = 0; i < kip->cpus; i++) {
        text_put(t, "processor\t: %u\nmodel name\t: %s\ncpu cores\t: %u\n\n", i, kip->cpu, kip->cpus);
    }
}

void print_command_line(struct text *t, const struct census_about *none) { text_put(t, "%s\n", l4_kip()->command_line); }
void print_mounts(struct text *t, const struct census_about *none) { text_put(t, "tmpfs / tmpfs rw 0 0\nproc /proc proc rw 0 0\n"); }
void print_filesystems(struct text *t, const struct census_about *none) { text_put(t, "nodev\ttmpfs\nnodev\tproc\n"); }

void print_system_stat(struct text *t, const struct census_about *none)
{
    struct census_load l = census_load_now();
    u64 user = 0, system = 0, all = l4_now() / TICK_NS;
    for (const struct census_about *p = process_from(1); p; p = process_from(p->pid + 1)) {
        user += p->user_us / 10000;
        system += p->system_us / 10000;
    }
    u64 idle = all > user + system ? all - user - system : 0;
    text_put(t, "cpu  %lu 0 %lu %lu 0 0 0 0 0 0\ncpu0 %lu 0 %lu %lu 0 0 0 0 0 0\n", user, system, idle, user, system, idle);
    text_put(t, "ctxt 0\nbtime %lu\nprocesses %u\nprocs_running %u\nprocs_blocked 0\n", l4_kip()->boot_seconds, l.last_pid, l.running);
}
