//! Where things are: the zip prefixes in use, a home for a customer or seller, and the rows of the geolocation file.

use super::atlas::{City, STATES, State};
use super::chance::{Draws, Stream};
use super::dirt::Dirt;

/// Coordinates are counted in 1e-15 degrees, which a 64-bit number holds and the text form needs.
const DEGREE: i64 = 1_000_000_000_000_000;
const THOUSANDTH: i64 = DEGREE / 1_000;

/// Rows of the real geolocation file, which the sample never exceeds.
const MOST_POINTS: u64 = 1_000_163;
/// Distinct zip prefixes of the real geolocation file.
const MOST_ZIPS: u64 = 19_000;

/// A zip prefix with its city and state.
#[derive(Clone, Copy)]
pub struct Place {
    pub state: &'static State,
    city: &'static City,
    pub zip: u64,
}

/// A row of the geolocation file.
pub struct Point {
    pub zip: u64,
    pub latitude: String,
    pub longitude: String,
    pub city: String,
    pub state: &'static str,
}

/// A city with the zip prefixes in use: `first..first + count` of all prefixes, in steps over the city's own range.
struct Quarter {
    state: &'static State,
    city: &'static City,
    first: u64,
    count: u64,
}

/// A state with its cities.
struct Realm {
    state: &'static State,
    quarters: Vec<Quarter>,
}

/// All zip prefixes in use: as many as the sample's size calls for, dealt out by the number of customers.
pub struct Places {
    seed: u64,
    realms: Vec<Realm>,
    zips: u64,
    points: u64,
}

impl Places {
    pub fn new(orders: u64, seed: u64) -> Self {
        let wanted = (orders / 3).min(MOST_ZIPS);
        let mut zips = 0;
        let realms = STATES.iter().map(|state| {
            let weights: u64 = state.cities.iter().map(|city| city.5).sum();
            let quarters = state.cities.iter().map(|city| {
                let share = wanted * state.customers * city.5 / (10_000 * weights);
                let (first, count) = (zips, share.clamp(1, city.2));
                zips += count;
                Quarter { state, city, first, count }
            });
            Realm { state, quarters: quarters.collect() }
        });
        let realms = realms.collect();
        // Every prefix in use has a row at least, however few the orders; without orders there is nothing to place.
        let points = if orders == 0 { 0 } else { points_for(orders).max(zips) };
        Self { seed, realms, zips, points }
    }

    /// Where a customer lives.
    pub fn home(&self, draws: &mut Draws) -> Place {
        let realm = draws.weighted(&self.realms, |realm| realm.state.customers);
        self.within(realm, draws)
    }

    /// Where a seller works.
    pub fn workshop(&self, draws: &mut Draws) -> Place {
        let realm = draws.weighted(&self.realms, |realm| realm.state.sellers);
        self.within(realm, draws)
    }

    fn within(&self, realm: &Realm, draws: &mut Draws) -> Place {
        let quarter = draws.weighted(&realm.quarters, |quarter| quarter.city.5);
        let number = quarter.first + draws.below(quarter.count);
        self.place(quarter, number)
    }

    fn place(&self, quarter: &Quarter, number: u64) -> Place {
        // Each prefix in use has a stretch of the city's range to itself, so that no two are alike.
        let slot = number - quarter.first;
        let from = slot * quarter.city.2 / quarter.count;
        let until = (slot + 1) * quarter.city.2 / quarter.count;
        let jitter = Draws::new(self.seed, Stream::Zip, number).below(until - from);
        Place { state: quarter.state, city: quarter.city, zip: quarter.city.1 + from + jitter }
    }

    /// The rows of the geolocation file, zip by zip. Some prefixes in use are unknown to it.
    pub fn points(&self) -> impl Iterator<Item = Point> + '_ {
        self.realms
            .iter()
            .flat_map(|realm| &realm.quarters)
            .flat_map(|quarter| (quarter.first..quarter.first + quarter.count).map(move |zip| (quarter, zip)))
            .filter(|(_, zip)| Dirt::ZipUnknown.strikes(self.seed, *zip).is_none())
            .flat_map(move |(quarter, zip)| {
                let place = self.place(quarter, zip);
                (self.boundary(zip)..self.boundary(zip + 1))
                    .map(move |row| self.point(place, zip, row, self.boundary(zip)))
            })
    }

    /// The number of the first row of a zip prefix: even shares, shifted a little.
    fn boundary(&self, zip: u64) -> u64 {
        let even = zip * self.points / self.zips.max(1);
        if zip == 0 || zip >= self.zips {
            return even;
        }
        let step = self.points / self.zips.max(1);
        even + Draws::new(self.seed, Stream::ZipBoundary, zip).below(step.max(1))
    }

    fn point(&self, place: Place, zip: u64, row: u64, first: u64) -> Point {
        // A fifth of the real rows repeats another one in full.
        let mut original = row;
        let mut draws = Draws::new(self.seed, Stream::Point, original);
        while original > first && draws.chance(2_200) {
            original = first + draws.below(original - first);
            draws = Draws::new(self.seed, Stream::Point, original);
        }
        let mut centre = Draws::new(self.seed, Stream::ZipCentre, zip);
        let spread =
            15 * THOUSANDTH + THOUSANDTH * i64::try_from(place.city.2.min(3_000)).unwrap_or_default() / 25;
        let mut latitude =
            place.city.3 * THOUSANDTH + centre.around_zero(spread) + draws.around_zero(DEGREE / 100);
        let mut longitude =
            place.city.4 * THOUSANDTH + centre.around_zero(spread) + draws.around_zero(DEGREE / 100);
        if let Some(block) = Dirt::PointOutside.strikes(self.seed, original) {
            // A sign lost, both exchanged, or another country altogether.
            (latitude, longitude) = match block % 3 {
                0 => (-latitude, -longitude),
                1 => (longitude, latitude),
                _ => (38 * DEGREE + latitude / 50, -9 * DEGREE - longitude / 50),
            };
        }
        // A few coordinates were typed in with six decimals.
        if draws.chance(60) {
            latitude -= latitude % (DEGREE / 1_000_000);
            longitude -= longitude % (DEGREE / 1_000_000);
        }
        Point {
            zip: place.zip,
            latitude: degrees(latitude),
            longitude: degrees(longitude),
            city: spelling(place.city.0, &mut draws),
            state: place.state.code,
        }
    }
}

impl Place {
    /// The city as customers and most sellers have it: no accents.
    pub fn plain_city(&self) -> String {
        plain(self.city.0)
    }
}

/// Geolocation rows for a number of orders: somewhat more than one an order when small, ten when large.
fn points_for(orders: u64) -> u64 {
    let growth = orders.saturating_sub(2_000).min(98_000);
    let hundredths = 125 + 875 * growth / 98_000;
    orders.saturating_mul(hundredths).saturating_div(100).min(MOST_POINTS)
}

/// Decimal degrees, without zeros at the end.
fn degrees(value: i64) -> String {
    let digits = value.unsigned_abs();
    let sign = if value < 0 { "-" } else { "" };
    let fraction = format!("{:015}", digits % DEGREE.unsigned_abs());
    let shortened = fraction.trim_end_matches('0');
    let shortened = if shortened.is_empty() { "0" } else { shortened };
    format!("{sign}{}.{shortened}", digits / DEGREE.unsigned_abs())
}

/// One of the spellings that the geolocation file has for a city.
fn spelling(name: &str, draws: &mut Draws) -> String {
    let style = draws.between(0, 999);
    match style {
        0..200 => name.to_owned(),
        200..202 => plain(name).to_uppercase(),
        202..205 => capitalised(&plain(name)),
        205..305 if name == "mogi guaçu" => "mogi-guacu".to_owned(),
        205..305 if name.contains('\'') => plain(name).replace('\'', "´"),
        305..405 if name.contains('\'') => plain(name).replace('\'', " "),
        205..207 if name == "são paulo" => "sp".to_owned(),
        205..207 if name == "rio de janeiro" => "rio de janeiro - rj".to_owned(),
        _ => plain(name),
    }
}

/// A name without accents.
pub fn plain(name: &str) -> String {
    name.chars()
        .map(|letter| match letter {
            'á' | 'à' | 'â' | 'ã' => 'a',
            'é' | 'ê' => 'e',
            'í' => 'i',
            'ó' | 'ô' | 'õ' => 'o',
            'ú' | 'ü' => 'u',
            'ç' => 'c',
            'Á' | 'À' | 'Â' | 'Ã' => 'A',
            'É' | 'Ê' => 'E',
            'Ó' | 'Ô' | 'Õ' => 'O',
            'Í' => 'I',
            'Ú' => 'U',
            'Ç' => 'C',
            other => other,
        })
        .collect()
}

fn capitalised(name: &str) -> String {
    let mut start = true;
    name.chars()
        .map(|letter| {
            let shown = if start { letter.to_ascii_uppercase() } else { letter };
            start = letter == ' ';
            shown
        })
        .collect()
}
