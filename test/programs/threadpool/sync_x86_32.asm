; sync_x86_32.asm: threadpool's lock and condition, under threads that come at the worst moments.
;
; Two players count under the lock, the main thread with them, then hand a turn to and fro by the
; condition. Entering the kernel is made slow at random, so that what may come between two steps does
; come. Status 0 when nothing was lost, 1 when a count is wrong, 2 when a thread could not be made. A
; wake-up that is lost leaves somebody asleep: the test's deadline sees that.

%include "linux.inc"
%include "threadpool.inc"

; From here on, for sync.inc too, `int` is one that may come late.
%imacro int 1
    call dawdle
    db 0xcd, %1                 ; the instruction itself
%endmacro

PLAYERS         equ 2
TURNS           equ 2000        ; for each
COUNTS          equ 200000      ; for each
TOTAL           equ PLAYERS * (COUNTS + 2 * TURNS) + TURNS  ; the last are the main thread's
SYS_nanosleep   equ 162
DAWDLE_BITS     equ 0x30        ; one time in four, by the clock's ticks

section .rodata

    align 8, db 0
moment:
    dd 0, 20000                 ; seconds, nanoseconds

section .bss

    alignb 64
gate:       resd 1              ; lock of all that follows
moved:      resd 1              ; condition: the turn is another's
turn:       resd 1              ; whose it is
taken:      resd 1              ; turns, quick counts and slow counts so far
ended:      resd 1              ; condition: a player has left
left:       resd 1              ; players still there
    alignb 16
stacks:     resb PLAYERS * STACK_SIZE

section .text

global _start
_start:
    mov dword [left], PLAYERS
    xor ebp, ebp                ; number of the player that is made
    mov ecx, stacks
.next:
    add ecx, STACK_SIZE
    mov eax, SYS_clone
    mov ebx, CLONE_AS_THREAD
    xor edx, edx
    xor esi, esi
    xor edi, edi
    int KERNEL
    test eax, eax
    js .no_thread
    jz player
    inc ebp
    cmp ebp, PLAYERS
    jb .next

    mov edi, TURNS              ; a third at the lock
.count:
    call count_slowly
    dec edi
    jnz .count
    mov eax, gate
    call lock_acquire
.wait:
    cmp dword [left], 0
    je .done
    mov eax, ended
    mov edx, gate
    call condition_wait
    jmp .wait
.done:
    xor ebx, ebx
    cmp dword [taken], TOTAL
    setne bl
    jmp .exit
.no_thread:
    mov ebx, 2
.exit:
    mov eax, SYS_exit_group
    int KERNEL

; player: count COUNTS times quickly, then TURNS times slowly and each time take a turn.
;   In        ebp = own number
player:
    mov edi, COUNTS             ; still to count
.count:
    mov eax, gate
    call lock_acquire
    inc dword [taken]           ; a read and a write
    mov eax, gate
    call lock_release
    dec edi
    jnz .count

    mov edi, TURNS              ; still to take
.next:
    call count_slowly
    mov eax, gate
    call lock_acquire
.look:
    cmp [turn], ebp
    je .mine
    mov eax, moved
    mov edx, gate
    call condition_wait
    jmp .look
.mine:
    inc dword [taken]
    xor dword [turn], 1
    mov eax, gate
    call lock_release
    mov eax, moved
    mov edx, WAKE_ONE
    call condition_notify
    dec edi
    jnz .next

    mov eax, gate
    call lock_acquire
    dec dword [left]
    mov eax, gate
    call lock_release
    mov eax, ended
    mov edx, WAKE_ONE
    call condition_notify
    mov eax, SYS_exit
    xor ebx, ebx
    int KERNEL

; count_slowly: count once; others run between the read and the write, and sleep over the lock.
;   Clobbers  eax, ecx, edx, esi
count_slowly:
    mov eax, gate
    call lock_acquire
    mov esi, [taken]
    call dawdle
    inc esi
    mov [taken], esi
    mov eax, gate
    jmp lock_release

; dawdle: sleep a moment, or do not.
;   Clobbers  nothing
dawdle:
    push eax
    push ebx
    push ecx
    push edx
    rdtsc
    test al, DAWDLE_BITS
    jnz .done
    mov eax, SYS_nanosleep
    mov ebx, moment
    xor ecx, ecx
    db 0xcd, KERNEL
.done:
    pop edx
    pop ecx
    pop ebx
    pop eax
    ret

%include "threadpool/sync.inc"
