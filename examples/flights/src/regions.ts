/**
 * The producers of this example: regions of origin airports, as if each region's stations ran their own client.
 * The table names every airport of the data (229); whatever is not in it belongs to `other`.
 */
const airportsByRegion = {
  /** New England, New York, New Jersey, Pennsylvania. */
  northeast: [
    'ABE ACY ALB AVP BDL BGM BGR BOS BTV BUF ELM ERI EWR HPN ISP ITH JFK LGA MDT MHT ORH PHL PIT PVD PWM',
    'ROC SWF SYR',
  ],
  /** Maryland to Florida and west to the Mississippi, with Kentucky, Puerto Rico and the Virgin Islands. */
  southeast: [
    'APF ATL AVL BHM BNA BQN BWI CAE CHA CHS CLT CRW CVG DAB DCA EYW FAY FLL GPT GSO GSP HSV IAD ILM JAN',
    'JAX LEX LWB MCO MEM MIA MLB MOB MYR ORF PBI PNS RDU RIC ROA RSW SAV SDF SJU SRQ STT STX TLH TPA TRI',
    'TYS VPS',
  ],
  /** Ohio to the Dakotas. */
  midwest: [
    'AZO BIS BMI CAK CID CLE CMH CMI DAY DBQ DLH DSM DTW EVV FAR FNT FSD FWA GFK GRB GRR ICT IND LAN LNK',
    'LSE MBS MCI MDW MKE MLI MOT MQT MSN MSP OMA ORD PIA RAP RST SBN SGF STL SUX TOL TVC',
  ],
  /** Texas, Oklahoma, Arkansas, Louisiana. */
  'south-central': [
    'ABI ACT AMA AUS BPT BRO BTR CLL CRP DAL DFW ELP FSM GGG HOU HRL IAH ILE LAW LBB LFT LIT LRD MAF MFE',
    'MLU MSY OKC SAT SHV SJT SPS TUL TXK TYR XNA',
  ],
  /** Montana to Arizona. */
  mountain: ['ABQ BIL BOI BZN COS DEN DRO EGE FCA GTF GUC HDN HLN JAC LAS MSO MTJ PHX RNO SLC TUS'],
  /** California, Oregon, Washington, Alaska, Hawaii. */
  pacific: [
    'ADQ AKN ANC BET BFL BRW BUR CDV DLG DUT EUG FAI FAT GEG GST HNL ITO JNU KOA KTN LAX LGB LIH MFR MRY',
    'OAK OGG OME ONT OTZ PDX PSC PSG PSP SAN SBA SBP SCC SEA SFO SIT SJC SMF SNA WRG YAK',
  ],
} as const

/** A producer: the region that an origin airport belongs to. */
export type Region = keyof typeof airportsByRegion | 'other'

/** All regions, in a fixed order. */
export const regions: readonly Region[] = [
  'northeast',
  'southeast',
  'midwest',
  'south-central',
  'mountain',
  'pacific',
  'other',
]

/** Airport (IATA code) to region, for every airport of the data. */
export const regionOfAirport: ReadonlyMap<string, Region> = new Map(
  Object.entries(airportsByRegion).flatMap(([region, lines]) =>
    lines.flatMap((line) => line.split(' ')).map((airport): [string, Region] => [airport, region as Region]),
  ),
)

/** Every airport of the data in alphabetical order; its position is its dictionary code in `Flights`. */
export const airports: readonly string[] = [...regionOfAirport.keys()].sort()

/** The region of an airport, `other` if the table does not know it. */
export function regionOf(airport: string): Region {
  return regionOfAirport.get(airport) ?? 'other'
}
