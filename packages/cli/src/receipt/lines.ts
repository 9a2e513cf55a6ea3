import { type ListReceipt, type ReceiptPlan, receiptLine } from '@interlock/console'

/** A receipt as the API streams it, line by line, out of a log that is open here. */
export async function* receiptLines(plan: ReceiptPlan, list: ListReceipt): AsyncGenerator<string> {
  yield JSON.stringify({ plan })
  for await (const part of list(plan)) yield 'row' in part ? receiptLine(part.row) : JSON.stringify(part)
}
