import { epochMs, type Flights } from './data.ts'
import type { FlightRequest } from './features.ts'
import { regionOf } from './regions.ts'

/**
 * The request that a flight of the data makes, before any fault. Its unit is route and minute of departure,
 * `ORD-LGA-17:34`, for want of a flight number: 480,000 units in April to June, half of which come back on other days.
 */
export function requestOf(flights: Flights, row: number): FlightRequest {
  const minute = flights.departureMinute[row]!
  const origin = flights.airports[flights.origin[row]!]!
  const destination = flights.airports[flights.destination[row]!]!
  return {
    unit: unitOf(origin, destination, minute),
    flight: flights.firstRow + row,
    departureMs: epochMs + minute * 60_000,
    origin,
    destination,
    distance: flights.distanceMiles[row]!,
    producer: regionOf(origin),
  }
}

function unitOf(origin: string, destination: string, minute: number): string {
  const minuteOfDay = minute % 1_440
  const hour = String(Math.floor(minuteOfDay / 60)).padStart(2, '0')
  return `${origin}-${destination}-${hour}:${String(minuteOfDay % 60).padStart(2, '0')}`
}
