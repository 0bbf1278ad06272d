/* SPDX-License-Identifier: BSD-2-Clause */
/* guest.c: the smallest guest that can do what axo must cope with. QEMU enters it by PVH in 32-bit mode. The first letter of
 * its command line says what it does: pass, fail, reset, hang, echo (console, until the letter q), crash of the host's kind. */
typedef unsigned char u8;
typedef unsigned int u32;

enum { CONSOLE = 0x3f8, LOG = 0x2f8, EXIT = 0xf4, FIFO_CONTROL = 2, FIFO_ON = 7, LINE_STATUS = 5, READY_TO_SEND = 0x20, RECEIVED = 1 };

/* QEMU's start record (PVH ABI): the command line's address is its seventh word. */
struct start_info {
    u32 magic, version, flags, modules, module_list_low, module_list_high, command_line;
};

static u8 stack[4096] __attribute__((aligned(16), used));

__asm__(".section .note, \"a\", @note\n"
        ".long 4, 4, 18\n"
        ".asciz \"Xen\"\n"
        ".long start\n"
        ".text\n"
        ".globl start\n"
        "start: mov $stack + 4096, %esp\n"
        "push %ebx\n"
        "call guest_main\n");

static void port_write(u32 port, u8 value)
{
    __asm__ volatile("outb %b0, %w1" : : "a"(value), "d"(port));
}

static u8 port_read(u32 port)
{
    u8 value;
    __asm__ volatile("inb %w1, %b0" : "=a"(value) : "d"(port));
    return value;
}

static void put(u32 port, char letter)
{
    while (!(port_read(port + LINE_STATUS) & READY_TO_SEND))
        ;
    port_write(port, (u8)letter);
}

static char get(u32 port)
{
    while (!(port_read(port + LINE_STATUS) & RECEIVED))
        ;
    return (char)port_read(port);
}

static void print(u32 port, const char *text)
{
    for (; *text; text++)
        put(port, *text);
}

static void reset(void)
{
    struct { unsigned short limit; u32 base; } __attribute__((packed)) none = { 0, 0 };
    __asm__ volatile("lidt %0; int3" : : "m"(none));
}

void guest_main(const struct start_info *info)
{
    const char *command_line = (const char *)info->command_line;
    port_write(CONSOLE + FIFO_CONTROL, FIFO_ON);
    print(LOG, "boot: fake guest, command line ");
    print(LOG, command_line);
    print(LOG, "\n");
    print(LOG, "bench: fake.one 42 instructions\n");
    switch (command_line[0]) {
    case 'f':
        print(LOG, "something was wrong\n");
        port_write(EXIT, 0x11);
        break;
    case 'r':
        reset();
        break;
    case 'e':
        print(CONSOLE, "say something: ");
        for (char letter = 0; letter != 'q';) {
            letter = get(CONSOLE);
            put(CONSOLE, letter);
        }
        break;
    case 'h':
        for (;;)
            ;
    default:
        break;
    }
    port_write(EXIT, 0x10);
    for (;;)
        ;
}
